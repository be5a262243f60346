import ProcModel
import Syscalls

/// Who makes a request: what its header says, and what /proc says of that thread while it waits for the answer.
///
/// Made anew for each request: a process changes its rights at any moment and keeps its number.
package final class Requester: Sendable {
    /// Thread id as this daemon sees it; 0 when it cannot.
    package let thread: Int32
    /// The file system's user and group (fsuid, fsgid).
    package let user, group: UInt32
    private let known = Monitor<Result<Caller, Refusal>?>(nil)

    package init(thread: Int32, user: UInt32, group: UInt32) {
        self.thread = thread
        self.user = user
        self.group = group
    }

    /// This process, on its own behalf.
    package static var daemon: Requester {
        Requester(thread: System.processNumber, user: System.userNumber, group: System.groupNumber)
    }

    /// What /proc says, asked for once.
    func caller(_ ask: () -> Result<Caller, Refusal>) -> Result<Caller, Refusal> {
        known.withLock { known in
            if let known { return known }
            let answer = ask()
            known = answer
            return answer
        }
    }
}

/// The files of /proc that tell about threads that have asked lately, held open: opening them anew takes as long as reading.
///
/// They say what is true when they are read, of the very thread they were opened for; once that has ended they say
/// nothing, and the number is looked up again.
final class ThreadFiles: Sendable {
    struct Entry: Sendable {
        let directory, status: File

        /// What they say now; nil when the thread has ended.
        func read() -> (status: [UInt8], userNamespace: [UInt8], root: File.Identity)? {
            guard let text = try? status.readShort(), let namespace = try? directory.readLink("ns/user"),
                let root = try? directory.identityAtHand("root")
            else { return nil }
            return (text, namespace, root)
        }
    }

    private let proc: File
    private let known = Monitor([Int32: Entry]())
    /// Two descriptors each.
    private static let most = 64

    init(_ proc: File) { self.proc = proc }

    /// What they say of a thread now; nil when there is none of the number, or it may not be looked at.
    func read(_ thread: Int32) -> (status: [UInt8], userNamespace: [UInt8], root: File.Identity)? {
        if let entry = known.withLock({ $0[thread] }), let answer = entry.read() { return answer }
        guard let directory = try? File.open(String(thread), .path, at: proc),
            let status = try? File.open("status", at: directory)
        else { return nil }
        let entry = Entry(directory: directory, status: status)
        guard let answer = entry.read() else { return nil }
        known.withLock { known in
            if known.count >= Self.most { known.removeAll() }
            known[thread] = entry
        }
        return answer
    }
}

/// The rights of a thread at this moment.
struct Caller: Sendable {
    let status: ThreadStatus
    /// In the user namespace of this daemon.
    let sharesUserNamespace: Bool
    /// Those that count here: a capability means nothing outside its user namespace.
    let capabilities: CapabilitySet
}
