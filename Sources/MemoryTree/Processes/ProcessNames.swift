import ProcModel
import ProcSource
import ProcText
import Syscalls

/// A process with its name as by-name spells it.
struct NamedProcess: Sendable {
    let name: [UInt8]
    let id: ProcessID
}

/// What decides which processes a reader finds where hidepid hides some: the reader's rights, and their own process,
/// which they always find.
package struct Finder: Hashable, Sendable {
    let decision: AccessDecision
    let process: PID?
}

extension Tree {
    /// The finder of a reader; nil where hidepid hides nothing.
    func finder(_ reader: Reader) throws(ProcError) -> Finder? {
        guard root.hiding != nil else { return nil }
        return Finder(
            decision: access.decision(of: reader.requester), process: try root.group(ofThread: reader.requester.thread))
    }

    /// Numbers of all processes that the reader may find.
    func numbers(_ reader: Reader) throws(ProcError) -> [PID] {
        guard let hiding = root.hiding, !hiding.showsDirectories else { return try root.processes() }
        // A process finds itself, whatever its rights.
        let itself = try root.group(ofThread: reader.requester.thread)
        guard case .asked(let rights) = access.decision(of: reader.requester) else { return itself.map { [$0] } ?? [] }
        var numbers = try root.processes(as: rights)
        if let itself, !numbers.contains(itself) { numbers = (numbers + [itself]).sorted() }
        // The kernel shows the daemon's own process to all threads of the daemon, whatever their credentials, so it is
        // left out here if the reader may not find it. Where the daemon is in the group that sees all processes, so is
        // each reader of its mount.
        guard let own = root.ownNumber, rights.credentials != nil || hiding.group != System.groupNumber,
            case .refused = access.decision(of: reader.requester, to: ProcessID(pid: own, birth: 0))
        else { return numbers }
        return numbers.filter { $0 != own }
    }

    /// All processes that the reader may find, with their names, by number.
    func names(_ reader: Reader) throws(ProcError) -> [NamedProcess] {
        try cache.value(.names(try finder(reader)), for: reader, bytes: { $0.count * 96 }) { () throws(ProcError) in
            var names: [NamedProcess] = []
            for pid in try numbers(reader) {
                try reader.checkInterrupted()
                if let process = try named(pid, reader) { names.append(process) }
            }
            return names
        }
    }

    /// The process with this number and its name; nil when it has gone, may not be read, or has a name that no file can
    /// have.
    func named(_ pid: PID, _ reader: Reader) throws(ProcError) -> NamedProcess? {
        do throws(ProcError) {
            let process = try processToRead(try processes.process(pid).id, reader)
            guard let name = entryName(try process.command()) else { return nil }
            nameHints.withLock { hints in
                if hints.count >= Self.mostNameHints { hints = [:] }
                hints[name] = pid
            }
            return NamedProcess(name: name, id: process.id)
        } catch {
            // One that does not answer is left out.
            if case .mustWait = error { return nil }
            if error == .failed(.resourceTemporarilyUnavailable) { return nil }
            try error.throwIfUnanswered()
            return nil
        }
    }

    private static let mostNameHints = 1024

    /// Whether a process has the name now. The last one known to have it is tried first: a walk looks up each name that
    /// the listing gave it.
    func isName(_ name: [UInt8], _ reader: Reader) throws(ProcError) -> Bool {
        if let pid = nameHints.withLock({ $0[name] }), try named(pid, reader)?.name == name { return true }
        nameHints.withLock { $0[name] = nil }
        return try names(reader).contains { $0.name == name }
    }
}
