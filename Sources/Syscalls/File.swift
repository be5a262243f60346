import CLinux
import Glibc
import SystemPackage

// This target is the only one that calls libc. All of it is thin, typed wrappers. A call is repeated after EINTR if that
// is harmless. A failure is thrown as `Errno`.

/// An open descriptor; closed when its last reference is dropped.
package final class File: Sendable {
    package let number: Int32

    package init(number: Int32) { self.number = number }

    deinit { Glibc.close(number) }

    /// open(2), or openat(2) below a directory.
    ///
    /// - Parameter who: the credentials to use; nil for those of this process.
    package static func open(
        _ path: String, _ flags: OpenFlags = .read, at directory: File? = nil, as who: Credentials? = nil
    ) throws(Errno) -> File {
        let number = unsafe path.withCString { name in
            unsafe Call.open.make(
                as: who, directory?.number ?? AT_FDCWD, name, Int(flags.rawValue | O_CLOEXEC), 0)
        }
        return File(number: Int32(try succeeded(number)))
    }

    package struct OpenFlags: Sendable {
        let rawValue: Int32
        package static let read = OpenFlags(rawValue: O_RDONLY)
        package static let directory = OpenFlags(rawValue: O_RDONLY | O_DIRECTORY)
        /// A directory for lookups only, which needs no right to read it.
        package static let path = OpenFlags(rawValue: 0o10000000 /* O_PATH */ | O_DIRECTORY)
    }

    /// pread(2); returns the number of bytes read, 0 at the end.
    package func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(Errno) -> Int {
        let got = retry { unsafe Glibc.pread(number, buffer.baseAddress, buffer.count, off_t(offset)) }
        guard got >= 0 else { throw Errno(rawValue: errno) }
        return got
    }

    /// read(2) of at most `count` bytes; empty at the end.
    package func readNext(_ count: Int) throws(Errno) -> [UInt8] {
        var failure: Errno?
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, length in
            let got = retry { unsafe Glibc.read(number, buffer.baseAddress, count) }
            if got < 0 { failure = Errno(rawValue: errno) }
            length = max(got, 0)
        }
        if let failure { throw failure }
        return bytes
    }

    /// readlinkat(2): the target of a link in this directory, as raw bytes.
    package func readLink(_ name: String, as who: Credentials? = nil) throws(Errno) -> [UInt8] {
        var capacity = 4096
        while true {
            var result = 0
            let bytes = unsafe [UInt8](unsafeUninitializedCapacity: capacity) { buffer, length in
                let place = Int(bitPattern: buffer.baseAddress)
                result = unsafe name.withCString { name in
                    unsafe Call.readLink.make(as: who, number, name, place, capacity)
                }
                length = max(result, 0)
            }
            if try succeeded(result) < capacity { return bytes }
            capacity *= 2
        }
    }

    /// fstatat(2) below this directory, or fstat(2) for an empty name.
    package func status(
        _ name: String = "", followLinks: Bool = true, as who: Credentials? = nil
    ) throws(Errno) -> Status {
        var status = stat()
        let flags = (name.isEmpty ? 0x1000 /* AT_EMPTY_PATH */ : 0) | (followLinks ? 0 : AT_SYMLINK_NOFOLLOW)
        let result = unsafe withUnsafeMutablePointer(to: &status) { status in
            unsafe name.withCString { name in
                unsafe Call.status.make(as: who, number, name, Int(bitPattern: status), Int(flags))
            }
        }
        _ = try succeeded(result)
        return Status(
            device: status.st_dev, inode: status.st_ino, links: status.st_nlink, user: status.st_uid,
            group: status.st_gid, mode: status.st_mode)
    }

    /// openat2(2) and fstat(2): status of the file at a path below a directory in this one; fails if there is a link on the way.
    package func status(below name: String, path: [UInt8]) throws(Errno) -> Status {
        let root = try File.open(name, .path, at: self)
        let number = unsafe (path + [0]).withUnsafeBytes { path in
            unsafe linux_open_without_links(root.number, path.baseAddress!.assumingMemoryBound(to: CChar.self))
        }
        guard number >= 0 else { throw Errno(rawValue: errno) }
        return try File(number: number).status()
    }

    /// Device and inode number of the file that a name leads to, without asking a filesystem's server, which may never answer.
    package func identityAtHand(_ name: String) throws(Errno) -> Identity {
        var (device, inode): (UInt64, UInt64) = (0, 0)
        guard unsafe linux_stat_at_hand(number, name, &device, &inode) == 0 else { throw Errno(rawValue: errno) }
        return Identity(device: device, inode: inode)
    }

    /// Identifies a file among all files.
    package struct Identity: Equatable, Sendable {
        let device, inode: UInt64
    }

    /// The fields of stat(2) that are used here.
    package struct Status: Equatable, Sendable {
        package let device, inode, links: UInt
        package let user, group, mode: UInt32
        package var isDirectory: Bool { mode & S_IFMT == S_IFDIR }
    }

    /// Names in this directory without `.` and `..`, in the kernel's order.
    package func list(as who: Credentials? = nil) throws(Errno) -> [[UInt8]] {
        // Opened again, so that reading starts at the beginning, and with these credentials.
        let directory = try File.open(".", .directory, at: self, as: who)
        var names: [[UInt8]] = []
        while true {
            var result = 0
            let entries = unsafe [UInt8](unsafeUninitializedCapacity: Self.listBytes) { buffer, length in
                result = unsafe Call.list.make(as: who, directory.number, buffer.baseAddress, Self.listBytes, 0)
                length = max(result, 0)
            }
            if try succeeded(result) == 0 { return names }
            // struct linux_dirent64: 8 bytes of inode, 8 bytes of offset, 2 bytes of length, 1 byte of type, name and NUL.
            var entry = entries[...]
            while entry.count > 19 {
                let name = Array(entry.dropFirst(19).prefix { $0 != 0 })
                if name != [0x2e], name != [0x2e, 0x2e] { names.append(name) }
                let low = Int(entry[entry.startIndex + 16])
                entry = entry.dropFirst(low | Int(entry[entry.startIndex + 17]) << 8)
            }
        }
    }

    private static let listBytes = 32768

    /// Type number of the filesystem, such as `procMagic`.
    package var filesystemType: Int { Int(linux_fs_type(number)) }

    /// Whether a file that reports changes through poll(2), such as mountinfo, has changed since the last call.
    package var hasNews: Bool {
        var request = pollfd(fd: number, events: Int16(POLLPRI), revents: 0)
        return unsafe poll(&request, 1, 0) > 0
    }

    package static let procMagic = 0x9fa0
    package static let pidfsMagic = 0x5049_4446

    /// pidfd_open(2).
    package static func process(_ pid: Int32) throws(Errno) -> File {
        let number = linux_pidfd_open(pid)
        guard number >= 0 else { throw Errno(rawValue: errno) }
        return File(number: number)
    }

    /// PAGEMAP_SCAN; returns the number of regions written.
    package func scan(_ argument: inout linux_scan) throws(Errno) -> Int {
        let count = unsafe linux_pagemap_scan(number, &argument)
        guard count >= 0 else { throw Errno(rawValue: errno) }
        return count
    }

    /// PROCMAP_QUERY without name and build id.
    package func query(_ argument: inout linux_vma_query) throws(Errno) {
        argument.size = UInt64(MemoryLayout<linux_vma_query>.size)
        guard unsafe linux_vma_query(number, &argument) == 0 else { throw Errno(rawValue: errno) }
    }
}

/// Throws if the result of a call is negative, which means minus the errno.
private func succeeded(_ result: Int) throws(Errno) -> Int {
    guard result >= 0 else { throw Errno(rawValue: Int32(-result)) }
    return result
}

func retry<Result: FixedWidthInteger>(_ call: () -> Result) -> Result {
    while true {
        let result = call()
        if result != -1 || errno != EINTR { return result }
    }
}
