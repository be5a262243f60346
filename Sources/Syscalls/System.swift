import CLinux
import Glibc
import SystemPackage

/// Facts of this process and of the machine, and things done to this process.
package enum System {
    /// Bytes.
    package static let pageSize = UInt64(Glibc.sysconf(Int32(_SC_PAGESIZE)))
    /// Clock ticks a second, the unit of start times.
    package static let clockTicks = UInt64(Glibc.sysconf(Int32(_SC_CLK_TCK)))
    package static var processorCount: Int { max(1, Glibc.sysconf(Int32(_SC_NPROCESSORS_ONLN))) }
    package static var processNumber: Int32 { Glibc.getpid() }
    package static var userNumber: UInt32 { Glibc.geteuid() }
    package static var groupNumber: UInt32 { Glibc.getegid() }

    /// Nanoseconds of a clock that only goes forward.
    package static var monotonicNanoseconds: UInt64 { nanoseconds(CLOCK_MONOTONIC) }
    /// Milliseconds since 1970.
    package static var realMilliseconds: UInt64 { nanoseconds(CLOCK_REALTIME) / 1_000_000 }
    /// Milliseconds since boot, suspended time included.
    package static var bootMilliseconds: UInt64 { nanoseconds(CLOCK_BOOTTIME) / 1_000_000 }

    private static func nanoseconds(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        unsafe clock_gettime(clock, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// Sleeps; the kernel's slack comes on top.
    package static func sleep(nanoseconds: UInt64) {
        var time = timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
        unsafe nanosleep(&time, nil)
    }

    /// Looks again and again whether there is something to read, without sleeping.
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

    /// A private anonymous page for probing: written first if wanted, then given a guard if wanted.
    ///
    /// - Returns: its address and whether the guard could be installed; it is unmapped after `body`.
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

    /// Lifts the soft limit of open descriptors to the hard one and returns it.
    package static func raiseDescriptorLimit() -> UInt64 {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 0 }
        limit.rlim_cur = limit.rlim_max
        unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return UInt64(limit.rlim_cur)
    }

    /// Keeps freed buffers for reuse instead of handing their pages back to the kernel and faulting them in again,
    /// from one arena.
    package static func tuneAllocator() {
        linux_tune_malloc()
    }

    /// Gives all memory that is free back to the kernel.
    package static func returnFreeMemory() {
        linux_return_free_memory()
    }

    /// Sets the name of the process as ps and top show it: the main thread's, which must be the caller.
    package static func setName(_ name: String) {
        _ = unsafe linux_set_name(name)
    }

    /// Value of an environment variable.
    package static func environment(_ name: String) -> String? {
        unsafe getenv(name).map { unsafe String(cString: $0) }
    }

    /// access(2) for existence.
    package static func exists(_ path: String) -> Bool { unsafe Glibc.access(path, F_OK) == 0 }

    /// access(2) for execution.
    package static func isExecutable(_ path: String) -> Bool { unsafe Glibc.access(path, X_OK) == 0 }

    /// getcwd(3), empty when it is gone.
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

    /// free(3) of what a C library has allocated.
    package static func release(_ memory: UnsafeMutableRawPointer?) { unsafe free(memory) }

    /// What a C library wants to print.
    package static func format(_ format: UnsafePointer<CChar>, _ arguments: CVaListPointer) -> String {
        let bytes = unsafe [CChar](unsafeUninitializedCapacity: 1024) { buffer, count in
            count = max(0, min(1023, Int(unsafe vsnprintf(buffer.baseAddress, 1024, format, arguments))))
        }
        return String(decoding: bytes.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// umount2(2), detaching at once.
    package static func detach(_ path: String) throws(Errno) {
        guard unsafe umount2(path, Int32(MNT_DETACH)) == 0 else { throw Errno(rawValue: errno) }
    }
}
