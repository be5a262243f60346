import Syscalls

/// Leaves a target alone that needs its memory lock itself.
///
/// Policy: a call that had to sleep for the lock has met a thread of the target that maps, unmaps or faults. Each such
/// meeting costs that thread some 40 us, however short the call is, so what helps is fewer calls, not shorter ones: after
/// one that slept, who reads through the same handle begins nothing for `pause`, and then one thing at a time. A target
/// that does not need its lock costs nobody anything. Waiting is for the reader's own thread; those who decode for
/// everybody only note what they met. Row 17 of `scripts/bench` measures it.
package final class Courtesy: Sendable {
    /// When the lock was last met held, nanoseconds; 0 for never.
    private let met = Monitor<UInt64>(0)

    private static let pause: UInt64 = 2_000_000
    /// How long a meeting is remembered.
    private static let memory: UInt64 = 100_000_000

    init() {}

    /// Makes a system call that takes the lock.
    func call<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        let before = Thread.waits
        defer { if Thread.waits != before { met.withLock { $0 = System.monotonicNanoseconds } } }
        return try body()
    }

    /// Whether the target has needed its lock of late.
    package var isCalledFor: Bool {
        let met = met.withLock { $0 }
        return met > 0 && System.monotonicNanoseconds - met < Self.memory
    }

    /// Waits until the lock may be taken again.
    package func wait() {
        let resumption = met.withLock { $0 > 0 ? $0 + Self.pause : 0 }
        let now = System.monotonicNanoseconds
        if resumption > now { System.sleep(nanoseconds: resumption - now) }
    }
}
