import ProcModel
import Syscalls

/// The thread that makes a request: what the request's header says, and what /proc says about the thread while it waits.
///
/// There is a new one for each request, since a process may change its rights at any moment.
package final class Requester: Sendable {
    /// Thread id in this daemon's pid namespace; nil if it is not visible there.
    package let thread: PID?
    /// User and group for access to files (fsuid, fsgid).
    package let user, group: UInt32
    private let known = Monitor<Result<Caller, Refusal>?>(nil)

    package init(thread: PID?, user: UInt32, group: UInt32) {
        self.thread = thread
        self.user = user
        self.group = group
    }

    /// This daemon itself.
    package static var daemon: Requester {
        Requester(thread: .own, user: System.userNumber, group: System.groupNumber)
    }

    /// Whether the thread has been killed or has ended, so that it makes no more requests.
    package var isDying: Bool {
        guard let thread else { return false }
        guard let text = try? File.open("/proc/\(thread)/status").readShort(), let pending = StatusFile(text)["SigPnd"],
            let signals = UInt64(pending, radix: 16)
        else { return true }
        return signals & 1 << 8 /* SIGKILL */ != 0
    }

    /// What /proc says; `ask` is called once.
    func caller(_ ask: () -> Result<Caller, Refusal>) -> Result<Caller, Refusal> {
        known.withLock { known in
            if let known { return known }
            let answer = ask()
            known = answer
            return answer
        }
    }
}

/// The files of /proc about threads that have recently made requests. They are kept open, since opening them takes as
/// long as reading them.
///
/// A read returns the present rights of the thread for which the file was opened. Once that thread has ended the read
/// fails, and the thread id is looked up again.
final class ThreadFiles: Sendable {
    struct Entry: Sendable {
        let directory, status: File

        /// What the files say now; nil if the thread has ended.
        func read() -> (status: [UInt8], userNamespace: [UInt8], root: File.Identity)? {
            guard let text = try? status.readShort(), let namespace = try? directory.readLink("ns/user"),
                let root = try? directory.identityAtHand("root")
            else { return nil }
            return (text, namespace, root)
        }
    }

    private struct Known {
        let entry: Entry
        /// Since the last call of `letGo`.
        var wasUsed = true
    }

    private let proc: File
    private let known = Monitor([PID: Known]())
    /// Called when the first thread is added, so that `letGo` is called later.
    private let onFirst: @Sendable () -> Void
    /// Most threads; each takes two descriptors.
    private static let most = 64

    init(_ proc: File, onFirst: @escaping @Sendable () -> Void) {
        self.proc = proc
        self.onFirst = onFirst
    }

    /// Closes the files of threads that have made no request since the last call.
    ///
    /// - Returns: whether no files are open any more.
    func letGo() -> Bool {
        let (dropped, isEmpty) = known.withLock { known in
            let dropped = known.filter { !$1.wasUsed }
            known = known.filter { $1.wasUsed }.mapValues { Known(entry: $0.entry, wasUsed: false) }
            return (dropped, known.isEmpty)
        }
        // Held until here, so that descriptors are closed after the lock.
        _ = dropped
        return isEmpty
    }

    /// What the files say about a thread now; nil if there is no such thread, or it may not be looked at.
    func read(_ thread: PID) -> (status: [UInt8], userNamespace: [UInt8], root: File.Identity)? {
        let held = known.withLock { known in
            known[thread]?.wasUsed = true
            return known[thread]?.entry
        }
        if let held, let answer = held.read() { return answer }
        guard let directory = try? File.open("\(thread)", .path, at: proc),
            let status = try? File.open("status", at: directory)
        else { return nil }
        let entry = Entry(directory: directory, status: status)
        guard let answer = entry.read() else { return nil }
        let (dropped, wasEmpty) = known.withLock { known in
            let dropped = known.count >= Self.most ? known : [:]
            let wasEmpty = known.isEmpty
            if !dropped.isEmpty { known = [:] }
            known[thread] = Known(entry: entry)
            return (dropped, wasEmpty)
        }
        _ = dropped
        if wasEmpty { onFirst() }
        return answer
    }
}

/// The rights of a thread during one request.
struct Caller: Sendable {
    let status: ThreadStatus
    /// Whether it is in the user namespace of this daemon.
    let sharesUserNamespace: Bool
    /// The effective capabilities; none if it is in another user namespace, where they do not count.
    let capabilities: CapabilitySet
}
