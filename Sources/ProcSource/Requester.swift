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
    package static var daemon: Requester { Requester(thread: System.processNumber, user: System.userNumber, group: 0) }

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

/// The rights of a thread at this moment.
struct Caller: Sendable {
    let status: ThreadStatus
    /// In the user namespace of this daemon.
    let sharesUserNamespace: Bool
    /// Those that count here: a capability means nothing outside its user namespace.
    let capabilities: CapabilitySet
}
