import ProcModel
import Syscalls

/// Who makes a request: what its header says, and what /proc says of that thread while it waits for the answer.
///
/// Made anew for each request: a process changes its rights at any moment and keeps its number.
package final class Requester: Sendable {
    /// Its thread as this daemon sees it; nil when it cannot.
    package let thread: PID?
    /// The file system's user and group (fsuid, fsgid).
    package let user, group: UInt32
    private let known = Monitor<Result<Caller, Refusal>?>(nil)

    package init(thread: PID?, user: UInt32, group: UInt32) {
        self.thread = thread
        self.user = user
        self.group = group
    }

    /// This process, on its own behalf.
    package static var daemon: Requester {
        Requester(thread: .own, user: System.userNumber, group: System.groupNumber)
    }

    /// Whether the thread has been killed: it asks for nothing again.
    package var isDying: Bool {
        guard let thread else { return false }
        guard let text = try? File.open("/proc/\(thread)/status").readShort(), let pending = StatusFile(text)["SigPnd"],
            let signals = UInt64(pending, radix: 16)
        else { return true }
        return signals & 1 << 8 /* SIGKILL */ != 0
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

    private struct Known {
        let entry: Entry
        /// Since `letGo` looked last.
        var wasUsed = true
    }

    private let proc: File
    private let known = Monitor([PID: Known]())
    /// Called when there is something to let go later.
    private let onFirst: @Sendable () -> Void
    /// Two descriptors each.
    private static let most = 64

    init(_ proc: File, onFirst: @escaping @Sendable () -> Void) {
        self.proc = proc
        self.onFirst = onFirst
    }

    /// Lets go those of threads that have not asked since it looked last.
    ///
    /// - Returns: whether nothing is held any more.
    func letGo() -> Bool {
        let (dropped, isEmpty) = known.withLock { known in
            let dropped = known.filter { !$1.wasUsed }
            known = known.filter { $1.wasUsed }.mapValues { Known(entry: $0.entry, wasUsed: false) }
            return (dropped, known.isEmpty)
        }
        // Descriptors are closed after the lock.
        _ = dropped
        return isEmpty
    }

    /// What they say of a thread now; nil when there is none of the number, or it may not be looked at.
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

/// The rights of a thread at this moment.
struct Caller: Sendable {
    let status: ThreadStatus
    /// In the user namespace of this daemon.
    let sharesUserNamespace: Bool
    /// Those that count here: a capability means nothing outside its user namespace.
    let capabilities: CapabilitySet
}
