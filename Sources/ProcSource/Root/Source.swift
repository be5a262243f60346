import CLinux
import ProcModel
import Syscalls
import SystemPackage

/// What a tree is read from: the mounted /proc, another mount of it, a recording, or a double in tests.
///
/// It gives files; all system calls about processes are made on these. Who asks and this daemon itself are not part of
/// it: they are always looked up in the daemon's own /proc.
package protocol Source: Sendable {
    /// Absolute path; the prefix of links that lead out of the tree.
    var path: String { get }
    /// The one that it tells about.
    var machine: Machine { get }
    /// The directory that holds a directory for each process.
    var directory: any SourceFile { get }
    /// How processes are hidden from some readers; nil when they are not.
    var hiding: Hiding? { get }
    /// pidfd_open(2).
    func handle(of pid: PID) throws(Errno) -> any SourceFile
}

/// An open file or directory of a source, closed with its last reference. Each requirement is one system call.
package protocol SourceFile: AnyObject, Sendable {
    /// openat(2) below this directory.
    ///
    /// - Parameter who: with whose rights; nil for this process's own.
    func open(_ path: String, _ flags: File.OpenFlags, as who: Credentials?) throws(Errno) -> any SourceFile
    /// pread(2); returns how many bytes came, 0 at the end.
    func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(Errno) -> Int
    /// readlinkat(2): the raw bytes of a link below this directory.
    func readLink(_ name: String, as who: Credentials?) throws(Errno) -> [UInt8]
    /// Names below this directory, `.` and `..` left out, in the order of the kernel.
    func list(as who: Credentials?) throws(Errno) -> [[UInt8]]
    /// fstatat(2) below this directory, or fstat(2) for an empty name.
    func status(_ name: String, followLinks: Bool, as who: Credentials?) throws(Errno) -> File.Status
    /// What a path leads to below a directory in this one, without following any link on the way: openat2(2).
    func status(below name: String, path: [UInt8]) throws(Errno) -> File.Status
    /// Type number of the file system, such as `File.procMagic`.
    var filesystemType: Int { get }
    /// PAGEMAP_SCAN; returns how many regions were written.
    func scan(_ argument: inout linux_scan) throws(Errno) -> Int
    /// PROCMAP_QUERY without name and build id.
    func query(_ argument: inout linux_vma_query) throws(Errno)
}

/// A directory laid out like /proc: a mounted one, or a recording.
package struct ProcDirectory: Source {
    package let path: String
    package let machine: Machine
    package let directory: any SourceFile
    private let hidden: HiddenProcesses?

    /// - Parameter machine: the one that a recording tells about.
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
