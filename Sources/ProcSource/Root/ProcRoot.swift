import ProcModel
import Syscalls
import SystemPackage

/// The top directory of a source, and facts about the whole source.
package final class ProcRoot: Sendable {
    let source: any Source
    let directory: any SourceFile
    /// Whether it is a procfs, so that ioctls and self-tests are possible.
    package let isLive: Bool
    /// Whether its pids are those of our own pid namespace, so that pidfds can be opened by them.
    package let sharesNumbers: Bool
    /// The pid of this daemon in it; nil if it is not visible there.
    package let ownNumber: PID?
    let lanes = Lanes()
    /// Whether pidfds have an inode number that identifies the process for the whole boot.
    private let hasPidfs: Bool
    package let machine: Machine

    package init(_ source: any Source) {
        self.source = source
        directory = source.directory
        machine = source.machine
        isLive = directory.filesystemType == File.procMagic
        ownNumber = isLive ? (try? directory.readLink("self")).flatMap(PID.init(parsing:)) : nil
        sharesNumbers = ownNumber == .own
        let handle = sharesNumbers ? try? source.handle(of: .own) : nil
        hasPidfs = handle?.filesystemType == File.pidfsMagic
    }

    /// Absolute path; the prefix of links that point out of the tree.
    package var path: String { source.path }

    /// How processes are hidden from some readers; nil if none are.
    package var hiding: Hiding? { source.hiding }

    /// Whether supplementary groups matter: they do with hidepid's gid=, and for the files of a recording.
    var asksForGroups: Bool { !isLive || hiding != nil }

    /// Pids of all processes that this /proc lists, ascending.
    package func processes(as rights: Rights = .daemon) throws(ProcError) -> [PID] {
        try ProcError.wrap { () throws(Errno) in try directory.list(as: rights.credentials) }
            .compactMap(PID.init(parsing:)).sorted()
    }

    /// Opens a file at the top, such as `kpageflags`.
    package func open(_ name: String, as rights: Rights = .daemon) throws(ProcError) -> any SourceFile {
        try ProcError.wrap { () throws(Errno) in try directory.open(name, .read, as: rights.credentials) }
    }

    /// Whether this daemon sees a process or thread with this number.
    package func exists(_ pid: PID) -> Bool { (try? directory.status("\(pid)")) != nil }

    /// Throws what a reader gets if they stat the directory of the process: with hidepid this depends on the reader.
    package func requireVisible(_ pid: PID, as rights: Rights) throws(ProcError) {
        _ = try ProcError.wrap { () throws(Errno) in try directory.status("\(pid)", as: rights.credentials) }
    }

    /// Pins the process that has the pid now.
    ///
    /// - Throws: `.absent` if there is no such process, or if the number is that of a thread.
    package func pin(_ pid: PID) throws(ProcError) -> PinnedProcess {
        let directory = try ProcError.wrap { () throws(Errno) in try self.directory.open("\(pid)", .path) }
        if sharesNumbers {
            let handle: any SourceFile
            do { handle = try source.handle(of: pid) } catch {
                // For a thread that does not lead its group the errno is EINVAL, or ENOENT on newer kernels.
                throw error == .invalidArgument || error == .noSuchProcess ? .absent : ProcError(error)
            }
            if hasPidfs {
                let birth = try ProcError.wrap { () throws(Errno) in try handle.status() }.inode
                // If the directory, which was opened first, is still alive, the pid has meant the same process all the time.
                let stat: (any SourceFile)?
                do { stat = try directory.open("stat") } catch {
                    switch ProcError(error) {
                    case .refused: stat = nil
                    case .gone: throw .absent
                    case let error: throw error
                    }
                }
                return PinnedProcess(ProcessID(pid: pid, birth: UInt64(birth)), directory, stat, self)
            }
        }
        let process = PinnedProcess(ProcessID(pid: pid, birth: 0), directory, nil, self)
        let status: StatusFile?
        do { status = try process.status() } catch {
            try error.throwIfUnanswered()
            status = nil
        }
        guard status?["Tgid"] ?? "\(pid)" == "\(pid)" else { throw .absent }
        // The start time comes from stat, and reading stat would block while the process is stuck in an exec.
        guard status?["State"]?.hasPrefix("D") != true else { throw .failed(.resourceTemporarilyUnavailable) }
        return PinnedProcess(ProcessID(pid: pid, birth: try process.stat().startTime), directory, nil, self)
    }

    /// The pid of a thread's process (thread group). The thread id is one of this daemon's pid namespace. Nil if the thread is
    /// not visible here, or if this root is of another pid namespace.
    package func group(ofThread thread: PID?) throws(ProcError) -> PID? {
        guard let thread, sharesNumbers else { return nil }
        let text: [UInt8]
        do {
            text = try ProcError.wrap { () throws(Errno) in
                try directory.open("\(thread)/status").readAll()
            }
        } catch {
            try error.throwIfUnanswered()
            return nil
        }
        return StatusFile(text)["Tgid"].flatMap { PID(parsing: Array($0.utf8)) }
    }
}

extension PID {
    /// The pid of this daemon in its own pid namespace.
    package static var own: PID { PID(rawValue: System.processNumber) }
}

/// Identifies a process for the whole boot. A pid may be reused, the pair is not.
package struct ProcessID: Hashable, Sendable {
    package let pid: PID
    /// Inode number of its pidfd, unique for the whole boot; on kernels without pidfs, the start time in clock ticks.
    package let birth: UInt64

    package init(pid: PID, birth: UInt64) {
        self.pid = pid
        self.birth = birth
    }
}

/// The `Key: value` lines of /proc/PID/status, or of a similar file.
package struct StatusFile: Sendable {
    private let fields: [String: String]

    package init(_ text: [UInt8]) {
        var fields: [String: String] = [:]
        for line in text.split(separator: 0x0a) {
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { continue }
            let words = line[(colon + 1)...].split { $0 == 0x09 || $0 == 0x20 }
            fields[String(decoding: line[..<colon], as: UTF8.self)] =
                words.map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ")
        }
        self.fields = fields
    }

    /// The value, with each run of tabs and blanks replaced by one blank.
    package subscript(key: String) -> String? { fields[key] }
}
