import ProcModel
import Syscalls
import SystemPackage

/// An open /proc/PID: what is read through it is of that process or fails, also after its number was used again.
package final class PinnedProcess: Sendable {
    package let id: ProcessID
    package let directory: any SourceFile
    package let root: ProcRoot
    /// Held open, since it is asked for again and again; nil where it may not be read.
    private let statFile: (any SourceFile)?
    /// For calls that may wait for the process: the same for all that hold it.
    package let lane: Lane

    init(_ id: ProcessID, _ directory: any SourceFile, _ statFile: (any SourceFile)?, _ root: ProcRoot) {
        self.id = id
        self.directory = directory
        self.statFile = statFile
        self.root = root
        lane = root.lanes.lane(of: id) { Self.sleeps(directory) }
    }

    package func stat() throws(ProcError) -> ProcessStat {
        let file =
            if let statFile { TargetFile(file: statFile, lane: lane, machine: root.machine) } else { try open("stat") }
        let text = try file.read(at: 0, count: 4096)
        return try ProcError.decode { () throws(DecodeError) in try ProcessStat(parsing: text) }
    }

    /// Unlike `stat` it never waits for the process.
    package func status() throws(ProcError) -> StatusFile { StatusFile(try readAtHand("status")) }

    /// Raw bytes of the name, as in stat; never waits for the process.
    package func command() throws(ProcError) -> [UInt8] {
        do throws(ProcError) {
            let text = try readAtHand("comm")
            return text.last == 0x0a ? text.dropLast() : text
        } catch {
            // A recording need not have it.
            guard error == .absent else { throw error }
            return try stat().command
        }
    }

    /// Opens a file below it, in its lane. A directory that has lost its process says ENOENT or ESRCH: both are `.gone`.
    package func open(_ name: String, as rights: Rights = .daemon) throws(ProcError) -> TargetFile {
        let file: any SourceFile
        do {
            file = try lane.call { () throws(Errno) in try directory.open(name, .read, as: rights.credentials) }
        } catch { throw meaning(of: error) }
        return TargetFile(file: file, lane: lane, machine: root.machine)
    }

    /// The same for a file whose opening never waits for the process.
    package func openAtHand(_ name: String, as rights: Rights = .daemon) throws(ProcError) -> any SourceFile {
        do { return try directory.open(name, .read, as: rights.credentials) } catch {
            throw meaning(of: ProcError(error))
        }
    }

    private func readAtHand(_ name: String) throws(ProcError) -> [UInt8] {
        let file = try openAtHand(name)
        return try ProcError.wrap { () throws(Errno) in try file.readShort() }
    }

    private func meaning(of error: ProcError) -> ProcError { error == .absent && !isAlive ? .gone : error }

    package func readLink(_ name: String, as rights: Rights) throws(ProcError) -> [UInt8] {
        try rights.requireLinks()
        return try lane.call { () throws(Errno) in try directory.readLink(name, as: rights.credentials) }
    }

    /// Whether one of the first threads of a process is in uninterruptible sleep, as all that hold up its readers are.
    private static func sleeps(_ directory: any SourceFile) -> Bool {
        guard let tasks = try? directory.open("task", .directory), let threads = try? tasks.list() else {
            return false
        }
        return threads.prefix(64).contains { thread in
            let name = String(decoding: thread, as: UTF8.self) + "/status"
            guard let text = try? tasks.open(name).readShort() else { return false }
            return StatusFile(text)["State"]?.hasPrefix("D") == true
        }
    }

    /// Whether the process still has its entry. It has ended when the kernel says so, not when asking fails.
    package var isAlive: Bool {
        do { _ = try directory.status("stat") } catch {
            return error != .noSuchFileOrDirectory && error != .noSuchProcess
        }
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
        let tasks = try openAtHand("task")
        for name in try ProcError.wrap({ () throws(Errno) in try tasks.list() }) {
            guard let thread = PID(parsing: name), thread != id.pid else { continue }
            let text: [UInt8]
            do { text = try open("task/\(thread)/stat").read(at: 0, count: 4096) } catch {
                // That thread has ended.
                guard error == .gone || error == .absent else { throw error }
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
    let number: PID?

    /// Path of one of its files below /proc/PID.
    func path(_ name: String) -> String { number.map { "task/\($0)/\(name)" } ?? name }
}
