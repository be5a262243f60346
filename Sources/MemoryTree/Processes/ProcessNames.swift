import ProcModel
import ProcSource
import ProcText
import Syscalls

/// A process with its name as by-name spells it.
struct NamedProcess: Sendable {
    let name: [UInt8]
    let id: ProcessID
}

/// Who looks for processes where hidepid hides some: rights, and the one process that everybody finds, their own.
package struct Finder: Hashable, Sendable {
    let decision: AccessDecision
    let process: PID?
}

extension Tree {
    /// On what it depends what hidepid lets a reader find; nil where everybody finds everything.
    func finder(_ reader: Reader) throws(ProcError) -> Finder? {
        guard root.hiding != nil else { return nil }
        return Finder(
            decision: access.decision(of: reader.requester), process: try root.group(ofThread: reader.requester.thread))
    }

    /// Numbers of all processes that the reader may find.
    func numbers(_ reader: Reader) throws(ProcError) -> [PID] {
        guard let hiding = root.hiding, !hiding.showsDirectories else { return try root.processes() }
        // Whatever its rights are, a process finds itself.
        let itself = try root.group(ofThread: reader.requester.thread)
        guard case .asked(let rights) = access.decision(of: reader.requester) else { return itself.map { [$0] } ?? [] }
        var numbers = try root.processes(as: rights)
        if let itself, !numbers.contains(itself) { numbers = (numbers + [itself]).sorted() }
        // To the kernel a thread of this daemon that asks is the daemon itself, whatever its credentials. Only on the mount
        // of a member of the group that sees all, every reader is one too.
        guard let own = root.ownNumber, rights.credentials != nil || hiding.group != System.groupNumber,
            case .refused = access.decision(of: reader.requester, to: ProcessID(pid: own, birth: 0))
        else { return numbers }
        return numbers.filter { $0 != own }
    }

    /// All processes with their names, by number.
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

    /// The process of a number; nil when it has gone, may not be looked at, or has no name that fits.
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

    /// Whether a process has the name now. One that had it lately is asked first: a walk looks up each name that it was
    /// given by the list.
    func isName(_ name: [UInt8], _ reader: Reader) throws(ProcError) -> Bool {
        if let pid = nameHints.withLock({ $0[name] }), try named(pid, reader)?.name == name { return true }
        nameHints.withLock { $0[name] = nil }
        return try names(reader).contains { $0.name == name }
    }
}
