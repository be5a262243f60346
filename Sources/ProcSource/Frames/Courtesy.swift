import Syscalls

/// Makes fewer calls while the target needs its mmap lock itself.
///
/// If a call sleeps for the lock, a thread of the target is mapping, unmapping or faulting. Each such collision costs that
/// thread about 40 us, however short the call is. So fewer calls help, shorter ones do not. After a call that slept, no
/// work is begun through the same handle for `pause`, and then one piece at a time. If the target does not need the lock,
/// nothing is delayed. Only the reader's own thread waits; the decoders, which work for all readers, only record
/// collisions. Row 17 of `scripts/bench` measures this.
package final class Courtesy: Sendable {
    /// When a call last slept for the lock, in nanoseconds; 0 for never.
    private let met = Monitor<UInt64>(0)

    private static let pause: UInt64 = 2_000_000
    /// How long a collision is remembered.
    private static let memory: UInt64 = 100_000_000

    init() {}

    /// Makes a system call that takes the lock.
    func call<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        let before = Thread.waits
        defer { if Thread.waits != before { met.withLock { $0 = System.monotonicNanoseconds } } }
        return try body()
    }

    /// Whether the target has recently needed its lock.
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
