import CLinux
import Glibc
import SystemPackage

/// Facts about this process and this machine, and calls that affect the whole process.
package enum System {
    /// Page size of this machine in bytes.
    package static let pageSize = UInt64(Glibc.sysconf(Int32(_SC_PAGESIZE)))
    /// Clock ticks per second, the unit of start times.
    package static let clockTicks = UInt64(Glibc.sysconf(Int32(_SC_CLK_TCK)))
    package static var processorCount: Int { max(1, Glibc.sysconf(Int32(_SC_NPROCESSORS_ONLN))) }
    package static var processNumber: Int32 { Glibc.getpid() }
    package static var userNumber: UInt32 { Glibc.geteuid() }
    package static var groupNumber: UInt32 { Glibc.getegid() }

    /// Nanoseconds of CLOCK_MONOTONIC, which is never set back.
    package static var monotonicNanoseconds: UInt64 { nanoseconds(CLOCK_MONOTONIC) }
    /// Milliseconds since 1970.
    package static var realMilliseconds: UInt64 { nanoseconds(CLOCK_REALTIME) / 1_000_000 }
    /// Milliseconds since boot, including time in suspend.
    package static var bootMilliseconds: UInt64 { nanoseconds(CLOCK_BOOTTIME) / 1_000_000 }

    private static func nanoseconds(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        unsafe clock_gettime(clock, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// Sleeps at least this long.
    package static func sleep(nanoseconds: UInt64) {
        var time = timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
        unsafe nanosleep(&time, nil)
    }

    /// Polls without sleeping until there is something to read or the time is over.
    package static func awaitInput(_ number: Int32, atMost nanoseconds: UInt64) {
        var request = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
        let end = monotonicNanoseconds + nanoseconds
        while unsafe poll(&request, 1, 0) == 0, monotonicNanoseconds < end {}
    }

    /// Writes all bytes to a descriptor.
    package static func write(_ bytes: [UInt8], to number: Int32) throws(Errno) {
        var done = 0
        while done < bytes.count {
            let rest = bytes[done...]
            let wrote = unsafe rest.withUnsafeBytes { part in
                retry { unsafe Glibc.write(number, part.baseAddress, part.count) }
            }
            guard wrote >= 0 else { throw Errno(rawValue: errno) }
            done += wrote
        }
    }

    /// Maps a private anonymous page, and unmaps it after `body`.
    ///
    /// - Parameters:
    ///   - written: write to the page first.
    ///   - guarded: then make it a guard region.
    ///   - body: gets its address, and whether the guard could be installed.
    /// - Returns: the result of `body`; nil if the page cannot be mapped.
    package static func withPage<Result>(written: Bool, guarded: Bool, _ body: (UInt64, Bool) -> Result) -> Result? {
        let size = Int(pageSize)
        guard let page = unsafe mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            unsafe page != MAP_FAILED
        else { return nil }
        defer { unsafe munmap(page, size) }
        if written { unsafe page.storeBytes(of: 1, as: UInt8.self) }
        let advised = guarded ? unsafe madvise(page, size, 102 /* MADV_GUARD_INSTALL */) : -1
        return body(UInt64(UInt(bitPattern: page)), advised == 0)
    }

    /// Raises the soft limit of open descriptors to the hard limit and returns it; 0 if it cannot be read.
    package static func raiseDescriptorLimit() -> UInt64 {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 0 }
        limit.rlim_cur = limit.rlim_max
        unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return UInt64(limit.rlim_cur)
    }

    /// Makes malloc keep freed buffers for reuse, in one arena, instead of returning their pages and faulting them in again.
    package static func tuneAllocator() {
        linux_tune_malloc()
    }

    /// Returns all free memory to the kernel.
    package static func returnFreeMemory() {
        linux_return_free_memory()
    }

    /// Sets the name that ps and top show for this process. It must be called on the main thread.
    package static func setName(_ name: String) {
        _ = unsafe linux_set_name(name)
    }

    /// Value of an environment variable; nil if it is not set.
    package static func environment(_ name: String) -> String? {
        unsafe getenv(name).map { unsafe String(cString: $0) }
    }

    /// Whether the path exists: access(2) with F_OK.
    package static func exists(_ path: String) -> Bool { unsafe Glibc.access(path, F_OK) == 0 }

    /// Whether this process may execute the file: access(2) with X_OK.
    package static func isExecutable(_ path: String) -> Bool { unsafe Glibc.access(path, X_OK) == 0 }

    /// getcwd(3); empty if the directory has been removed.
    package static var workingDirectory: String {
        guard let path = unsafe getcwd(nil, 0) else { return "" }
        defer { unsafe free(path) }
        return unsafe String(cString: path)
    }

    /// realpath(3).
    package static func absolutePath(_ path: String) throws(Errno) -> String {
        guard let resolved = unsafe realpath(path, nil) else { throw Errno(rawValue: errno) }
        defer { unsafe free(resolved) }
        return unsafe String(cString: resolved)
    }

    /// free(3) for memory that a C library has allocated.
    package static func release(_ memory: UnsafeMutableRawPointer?) { unsafe free(memory) }

    /// vsnprintf(3): a message of a C library, cut off after 1023 bytes.
    package static func format(_ format: UnsafePointer<CChar>, _ arguments: CVaListPointer) -> String {
        let bytes = unsafe [CChar](unsafeUninitializedCapacity: 1024) { buffer, count in
            count = max(0, min(1023, Int(unsafe vsnprintf(buffer.baseAddress, 1024, format, arguments))))
        }
        return String(decoding: bytes.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// umount2(2) with MNT_DETACH.
    package static func detach(_ path: String) throws(Errno) {
        guard unsafe umount2(path, Int32(MNT_DETACH)) == 0 else { throw Errno(rawValue: errno) }
    }
}
