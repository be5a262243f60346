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
    package func open(_ name: String) throws(ProcError) -> File {
        do { return try File.open(name, at: directory) } catch {
            throw error == .noSuchFileOrDirectory && !isAlive ? .gone : ProcError(error)
        }
    }

    package func read(_ name: String) throws(ProcError) -> [UInt8] {
        let file = try open(name)
        return try ProcError.wrap { () throws(Errno) in try file.readAll() }
    }

    package func readLink(_ name: String) throws(ProcError) -> [UInt8] {
        try ProcError.wrap { () throws(Errno) in try directory.readLink(name) }
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

    /// The memory of the process, reached through its main thread or, when that has exited, another one.
    ///
    /// - Returns: nil when it has none: a kernel thread or a zombie.
    package func memory() throws(ProcError) -> ProcessMemory? {
        let stat = try stat()
        if stat.isKernelThread { return nil }
        if !stat.isZombie { return ProcessMemory(process: self, stat: stat, thread: nil) }
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
            return ProcessMemory(process: self, stat: live, thread: thread)
        }
        return nil
    }
}

/// The address space of a pinned process as one of its threads shows it.
package struct ProcessMemory: Sendable {
    package let process: PinnedProcess
    /// Of the thread through which it is read.
    package let stat: ProcessStat
    /// nil for the main thread.
    package let thread: Int32?

    /// Opens `maps`, `smaps`, `smaps_rollup` or `pagemap`; here the kernel decides about the right to.
    package func open(_ name: String) throws(ProcError) -> File {
        try process.open(thread.map { "task/\($0)/\(name)" } ?? name)
    }

    /// Path of a file of /proc below the root, such as `1234/map_files`; threads have those too, unlisted.
    package func path(_ name: String) -> String { "\(thread ?? process.id.pid)/\(name)" }

    /// The kernel's directory of links to mapped objects.
    package func mapFiles() throws(ProcError) -> File {
        try ProcError.wrap { () throws(Errno) in
            guard let thread else { return try File.open("map_files", .directory, at: process.directory) }
            return try File.open("\(thread)/map_files", .directory, at: process.root.directory)
        }
    }
}
