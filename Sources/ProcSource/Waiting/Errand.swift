import Synchronization
import Syscalls

/// What a thread works at, and for whom: a call that may wait for a target needs to know. See `Lane`.
package final class Errand: Sendable {
    /// The file system's user (fsuid) of who asked.
    package let user: UInt32
    /// Whether nobody waits for the result any more; cheap to ask.
    package let isGivenUp: @Sendable () -> Bool
    /// Since when a call of it is in a lane, 0 while none is: of the one that began last; and the thread that made it.
    private let inCallSince = Atomic<UInt64>(0)
    private let caller = Atomic<Int32>(0)
    /// Nanoseconds of the monotonic clock.
    private let began: UInt64
    /// What the same thread works at that needs this one.
    private let outer: Errand?

    private static let ofThread = ThreadLocal<Errand>()
    private static let ofDaemon = Errand(for: System.userNumber) { false }

    /// - Parameter whole: the work that it is a part of, which would be lost without it.
    package init(for user: UInt32, partOf whole: Errand? = nil, isGivenUp: @escaping @Sendable () -> Bool) {
        self.user = user
        self.isGivenUp = isGivenUp
        began = whole?.began ?? System.monotonicNanoseconds
        outer = whole
    }

    /// The calling thread's.
    package static var current: Errand { ofThread.value ?? ofDaemon }

    /// Does it on the calling thread.
    package func run<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        try Self.ofThread.with(self, body)
    }

    /// Nanoseconds for which a thread is spent on waiting: `Lane.patience`, and for work that would be lost as long as
    /// that has taken, so that a target that is often busy for a while delays it but never makes it begin anew for ever.
    func patience(at now: UInt64) -> UInt64 {
        max(Lane.patience, min(now - min(now, began), Self.longestPatience))
    }

    /// Notes since when it waits in a lane, 0 for not at all; what needs it waits too.
    package func noteCall(since: UInt64) {
        if since != 0 { caller.store(Thread.number, ordering: .relaxed) }
        inCallSince.store(since, ordering: .relaxed)
        outer?.noteCall(since: since)
    }

    /// Whether it waits for a call that does not come back. A thread that only waits for its turn on a busy machine is
    /// none.
    package var isStuck: Bool {
        let since = inCallSince.load(ordering: .relaxed)
        let now = System.monotonicNanoseconds
        guard since != 0, now - min(now, since) > Lane.patience else { return false }
        return !Thread.isRunnable(caller.load(ordering: .relaxed))
    }

    private static let longestPatience: UInt64 = 2_000_000_000
}
