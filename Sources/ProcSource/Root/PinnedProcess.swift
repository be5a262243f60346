import ProcModel
import Syscalls
import SystemPackage

/// An open /proc/PID. A read through it returns data of that process or fails, even if the pid has been reused.
package final class PinnedProcess: Sendable {
    package let id: ProcessID
    package let directory: any SourceFile
    package let root: ProcRoot
    /// Kept open, since it is read very often; nil if it may not be read, or where there is no pidfs.
    private let statFile: (any SourceFile)?
    /// For calls that may wait for the process; shared by all pins of the same process.
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

    /// Reads status; unlike `stat` this never waits for the process.
    package func status() throws(ProcError) -> StatusFile { StatusFile(try readAtHand("status")) }

    /// Raw bytes of the process's name, as in stat. Never waits for the process, except in a recording without `comm`.
    package func command() throws(ProcError) -> [UInt8] {
        do throws(ProcError) {
            let text = try readAtHand("comm")
            return text.last == 0x0a ? text.dropLast() : text
        } catch {
            // A recording may lack it.
            guard error == .absent else { throw error }
            return try stat().command
        }
    }

    /// Opens a file of the process, in its lane. If the process has ended, the kernel says ENOENT or ESRCH: both are `.gone`.
    package func open(_ name: String, as rights: Rights = .daemon) throws(ProcError) -> TargetFile {
        let file: any SourceFile
        do {
            file = try lane.call { () throws(Errno) in try directory.open(name, .read, as: rights.credentials) }
        } catch { throw meaning(of: error) }
        return TargetFile(file: file, lane: lane, machine: root.machine)
    }

    /// Opens a file for which opening never waits for the process, so without its lane.
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

    /// Whether one of the first 64 threads of a process is in uninterruptible sleep (state D), as any thread is that keeps
    /// readers waiting.
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

    /// Whether the process still has its entry in /proc. Only ENOENT and ESRCH mean that it has ended; other errors do not.
    package var isAlive: Bool {
        do { _ = try directory.status("stat") } catch {
            return error != .noSuchFileOrDirectory && error != .noSuchProcess
        }
        return true
    }

    /// The user and group that own the directory in /proc.
    package func owner() throws(ProcError) -> (user: UInt32, group: UInt32) {
        let status = try ProcError.wrap { () throws(Errno) in try directory.status() }
        return (status.user, status.group)
    }

    /// A thread through which the memory of the process can be read: the main thread, or another one if that has exited.
    ///
    /// - Returns: nil if the process has no memory: a kernel thread or a zombie.
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
