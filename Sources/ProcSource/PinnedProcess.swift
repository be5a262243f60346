import ProcModel
import Syscalls
import SystemPackage

/// An open /proc/PID: what is read through it is of that process or fails, also after its number was used again.
package final class PinnedProcess: Sendable {
    package let id: ProcessID
    package let directory: File
    package let root: ProcRoot
    /// Held open, since it is asked for again and again; nil where it may not be read.
    private let statFile: File?

    init(_ id: ProcessID, _ directory: File, _ statFile: File?, _ root: ProcRoot) {
        self.id = id
        self.directory = directory
        self.statFile = statFile
        self.root = root
    }

    package func stat() throws(ProcError) -> ProcessStat {
        let file = if let statFile { statFile } else { try open("stat") }
        let text = try ProcError.wrap { () throws(Errno) in try file.read(at: 0, count: 4096) }
        return try ProcError.decode { () throws(DecodeError) in try ProcessStat(parsing: text) }
    }

    package func status() throws(ProcError) -> StatusFile { StatusFile(try read("status")) }

    /// Opens a file below it. A directory that has lost its process says ENOENT or ESRCH: both are `.gone`.
    package func open(_ name: String, as rights: Rights = .daemon) throws(ProcError) -> File {
        do { return try File.open(name, at: directory, as: rights.credentials) } catch {
            throw error == .noSuchFileOrDirectory && !isAlive ? .gone : ProcError(error)
        }
    }

    package func read(_ name: String) throws(ProcError) -> [UInt8] {
        let file = try open(name)
        return try ProcError.wrap { () throws(Errno) in try file.readAll() }
    }

    package func readLink(_ name: String, as rights: Rights) throws(ProcError) -> [UInt8] {
        try rights.requireLinks()
        return try ProcError.wrap { () throws(Errno) in try directory.readLink(name, as: rights.credentials) }
    }

    /// Whether the process still has its entry.
    package var isAlive: Bool {
        do { _ = try directory.status("stat") } catch { return error == .notPermitted || error == .permissionDenied }
        return true
    }

    /// User and group that /proc shows as owners of the directory.
    package func owner() throws(ProcError) -> (user: UInt32, group: UInt32) {
        let status = try ProcError.wrap { () throws(Errno) in try directory.status() }
        return (status.user, status.group)
    }

    /// The thread that shows the memory of the process: the main thread or, when that has exited, another one.
    ///
    /// - Returns: nil when it has none: a kernel thread or a zombie.
    package func memoryThread() throws(ProcError) -> MemoryThread? {
        let stat = try stat()
        if stat.isKernelThread { return nil }
        if !stat.isZombie { return MemoryThread(stat: stat, number: nil) }
        guard stat.threads > 1 else { return nil }
        let tasks = try open("task")
        for name in try ProcError.wrap({ () throws(Errno) in try tasks.list() }) {
            guard let thread = parseProcessNumber(name), thread != id.pid else { continue }
            let text: [UInt8]
            do { text = try read("task/\(thread)/stat") } catch {
                try error.throwIfShortage()
                continue
            }
            guard let live = try? ProcessStat(parsing: text), !live.isZombie else { continue }
            return MemoryThread(stat: live, number: thread)
        }
        return nil
    }
}

/// A thread through which an address space is read.
package struct MemoryThread: Sendable {
    package let stat: ProcessStat
    /// nil for the main thread.
    let number: Int32?
}
