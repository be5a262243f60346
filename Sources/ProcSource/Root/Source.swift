import CLinux
import ProcModel
import Syscalls
import SystemPackage

/// What a tree is read from: the mounted /proc, another mount of it, a recording, or a double in tests.
///
/// It opens files, and all system calls about processes are made on these. Facts about readers and about this daemon
/// are not part of it: they always come from the daemon's own /proc.
package protocol Source: Sendable {
    /// Absolute path; the prefix of links that point out of the tree.
    var path: String { get }
    /// The machine whose processes it shows.
    var machine: Machine { get }
    /// The directory with a directory for each process.
    var directory: any SourceFile { get }
    /// How processes are hidden from some readers; nil if none are.
    var hiding: Hiding? { get }
    /// pidfd_open(2).
    func handle(of pid: PID) throws(Errno) -> any SourceFile
}

/// An open file or directory of a source; closed when its last reference is dropped. Each requirement is one system call.
package protocol SourceFile: AnyObject, Sendable {
    /// openat(2) below this directory.
    ///
    /// - Parameter who: the credentials to use; nil for those of this process.
    func open(_ path: String, _ flags: File.OpenFlags, as who: Credentials?) throws(Errno) -> any SourceFile
    /// pread(2); returns the number of bytes read, 0 at the end.
    func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(Errno) -> Int
    /// readlinkat(2): the target of a link in this directory, as raw bytes.
    func readLink(_ name: String, as who: Credentials?) throws(Errno) -> [UInt8]
    /// Names in this directory without `.` and `..`, in the kernel's order.
    func list(as who: Credentials?) throws(Errno) -> [[UInt8]]
    /// fstatat(2) below this directory, or fstat(2) for an empty name.
    func status(_ name: String, followLinks: Bool, as who: Credentials?) throws(Errno) -> File.Status
    /// openat2(2) and fstat(2): status of the file at a path below a directory in this one; fails if there is a link on the way.
    func status(below name: String, path: [UInt8]) throws(Errno) -> File.Status
    /// Type number of the filesystem, such as `File.procMagic`.
    var filesystemType: Int { get }
    /// PAGEMAP_SCAN; returns the number of regions written.
    func scan(_ argument: inout linux_scan) throws(Errno) -> Int
    /// PROCMAP_QUERY without name and build id.
    func query(_ argument: inout linux_vma_query) throws(Errno)
}

/// A directory laid out like /proc: a mounted /proc, or a recording.
package struct ProcDirectory: Source {
    package let path: String
    package let machine: Machine
    package let directory: any SourceFile
    private let hidden: HiddenProcesses?

    /// - Parameter machine: the machine of a recording.
    package init(path: String, machine: Machine = .this) throws(ProcError) {
        self.path = path
        self.machine = machine
        let directory = try ProcError.wrap { () throws(Errno) in try File.open(path, .directory) }
        self.directory = directory
        hidden = directory.filesystemType == File.procMagic ? HiddenProcesses(of: directory) : nil
    }

    package var hiding: Hiding? { hidden?.hiding }

    package func handle(of pid: PID) throws(Errno) -> any SourceFile { try File.process(pid.rawValue) }
}

extension File: SourceFile {
    package func open(_ path: String, _ flags: OpenFlags, as who: Credentials?) throws(Errno) -> any SourceFile {
        try File.open(path, flags, at: self, as: who)
    }
}
