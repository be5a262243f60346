import Synchronization
import Syscalls

/// The work that a thread does, and for which user. `Lane` needs this for each call that may wait for a target.
package final class Errand: Sendable {
    /// The reader's user (fsuid).
    package let user: UInt32
    /// Whether the result is no longer wanted; cheap to call.
    package let isGivenUp: @Sendable () -> Bool
    /// When its latest call in a lane began, in nanoseconds of the monotonic clock; 0 if no call is under way.
    private let inCallSince = Atomic<UInt64>(0)
    /// The thread that made this call.
    private let caller = Atomic<Int32>(0)
    /// When the work began, in nanoseconds of the monotonic clock.
    private let began: UInt64
    /// The larger work of which this is a part, if any.
    private let outer: Errand?

    private static let ofThread = ThreadLocal<Errand>()
    private static let ofDaemon = Errand(for: System.userNumber) { false }

    /// - Parameter whole: the larger work of which this is a part, and which cannot succeed without it.
    package init(for user: UInt32, partOf whole: Errand? = nil, isGivenUp: @escaping @Sendable () -> Bool) {
        self.user = user
        self.isGivenUp = isGivenUp
        began = whole?.began ?? System.monotonicNanoseconds
        outer = whole
    }

    /// The errand of the calling thread.
    package static var current: Errand { ofThread.value ?? ofDaemon }

    /// Does the work on the calling thread.
    package func run<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        try Self.ofThread.with(self, body)
    }

    /// Nanoseconds for which the thread itself waits: at least `Lane.patience`, and for longer work as long as it has taken so
    /// far. So a target that is busy now and then delays the work, but does not make it start again for ever.
    func patience(at now: UInt64) -> UInt64 {
        max(Lane.patience, min(now - min(now, began), Self.longestPatience))
    }

    /// Records when its call in a lane began, 0 for no call; also for the larger work.
    package func noteCall(since: UInt64) {
        if since != 0 { caller.store(Thread.number, ordering: .relaxed) }
        inCallSince.store(since, ordering: .relaxed)
        outer?.noteCall(since: since)
    }

    /// Whether its call takes longer than `Lane.patience`. A thread that is only waiting for a CPU does not count.
    package var isStuck: Bool {
        let since = inCallSince.load(ordering: .relaxed)
        let now = System.monotonicNanoseconds
        guard since != 0, now - min(now, since) > Lane.patience else { return false }
        return !Thread.isRunnable(caller.load(ordering: .relaxed))
    }

    private static let longestPatience: UInt64 = 2_000_000_000
}
