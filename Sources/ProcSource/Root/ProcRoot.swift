import ProcModel
import Syscalls
import SystemPackage

/// The top of a source, and what is known of it as a whole.
package final class ProcRoot: Sendable {
    let source: any Source
    let directory: any SourceFile
    /// Whether it is a procfs, so that ioctls and self-tests mean something.
    package let isLive: Bool
    /// Whether its numbers are those of our own pid namespace, so that pidfds may be opened by them.
    package let sharesNumbers: Bool
    /// The number of this daemon in it, nil where it is not seen.
    package let ownNumber: PID?
    let lanes = Lanes()
    /// Whether the inode number of a pidfd is the process's for the whole boot.
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

    /// Absolute path; the prefix of links that lead out of the tree.
    package var path: String { source.path }

    /// How processes are hidden from some readers; nil when they are not.
    package var hiding: Hiding? { source.hiding }

    /// Whether supplementary groups decide about anything here: hidepid's gid= does, and the files of a recording.
    var asksForGroups: Bool { !isLive || hiding != nil }

    /// Numbers of all processes that this /proc lists, ascending.
    package func processes(as rights: Rights = .daemon) throws(ProcError) -> [PID] {
        try ProcError.wrap { () throws(Errno) in try directory.list(as: rights.credentials) }
            .compactMap(PID.init(parsing:)).sorted()
    }

    /// A file at the top, such as `kpageflags`.
    package func open(_ name: String, as rights: Rights = .daemon) throws(ProcError) -> any SourceFile {
        try ProcError.wrap { () throws(Errno) in try directory.open(name, .read, as: rights.credentials) }
    }

    /// Whether this daemon sees a process or thread of the number.
    package func exists(_ pid: PID) -> Bool { (try? directory.status("\(pid)")) != nil }

    /// Throws what a reader gets from stat of the process's directory: with hidepid that depends on who asks.
    package func requireVisible(_ pid: PID, as rights: Rights) throws(ProcError) {
        _ = try ProcError.wrap { () throws(Errno) in try directory.status("\(pid)", as: rights.credentials) }
    }

    /// Holds on to the process that has the number now.
    ///
    /// - Throws: `.absent` when there is none, or the number is that of a thread.
    package func pin(_ pid: PID) throws(ProcError) -> PinnedProcess {
        let directory = try ProcError.wrap { () throws(Errno) in try self.directory.open("\(pid)", .path) }
        if sharesNumbers {
            let handle: any SourceFile
            do { handle = try source.handle(of: pid) } catch {
                // A thread that leads no group is EINVAL, or ENOENT on newer kernels.
                throw error == .invalidArgument || error == .noSuchProcess ? .absent : ProcError(error)
            }
            if hasPidfs {
                let birth = try ProcError.wrap { () throws(Errno) in try handle.status() }.inode
                // The number meant this very process throughout if the directory opened first is alive still.
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
        // It is known by what stat says, which would not come while it is stuck in an exec.
        guard status?["State"]?.hasPrefix("D") != true else { throw .failed(.resourceTemporarilyUnavailable) }
        return PinnedProcess(ProcessID(pid: pid, birth: try process.stat().startTime), directory, nil, self)
    }

    /// The thread group of a thread of this daemon's pid namespace; nil when it is not visible here, or the numbers of this
    /// root are others.
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
    /// This daemon's, in its own pid namespace.
    package static var own: PID { PID(rawValue: System.processNumber) }
}

/// A process for good: the number may be used again, the pair not.
package struct ProcessID: Hashable, Sendable {
    package let pid: PID
    /// Inode number of its pidfd, unique for the whole boot; where the kernel has none, the start time in ticks.
    package let birth: UInt64

    package init(pid: PID, birth: UInt64) {
        self.pid = pid
        self.birth = birth
    }
}

/// The lines of /proc/PID/status.
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

    /// The value with runs of tabs and blanks as one blank.
    package subscript(key: String) -> String? { fields[key] }
}
