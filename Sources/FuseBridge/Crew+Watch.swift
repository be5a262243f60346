import Syscalls

/// The thread that notices when another one is stuck.
extension Crew {
    /// Nanoseconds between two looks.
    private static let pauseOfWatch: UInt64 = 1_000_000
    /// After this many looks with nothing to do, it sleeps.
    private static let mostQuietLooks = 20

    /// Wakes the watch. Call it when work begins that may get stuck.
    func wakeWatch() {
        if !isWatchAwake.withLock({ $0 }) { isWatchAwake.change { $0 = true } }
    }

    /// Checks every millisecond, while there is something to do, whether the thread that receives requests is stuck, or
    /// work that must be answered soon.
    func watch() {
        var quietLooks = 0
        var last: UInt64 = 0
        while !roster.withLock({ $0.isStopping }) {
            isWatchAwake.wait(atMost: 3_600_000) { $0 ? () : nil }
            System.sleep(nanoseconds: Self.pauseOfWatch)
            let (requests, waiting) = roster.withLock { ($0.requests, $0.waiting) }
            if requests == last, waiting == 0 { handOver() }
            let isHurrying = hurry()
            let hasWork = roster.withLock { $0.hasWork } || isHurrying
            if hasWork { wakeForBacklog() }
            quietLooks = requests == last && waiting > 0 && !hasWork ? quietLooks + 1 : 0
            if quietLooks == Self.mostQuietLooks {
                quietLooks = 0
                isWatchAwake.withLock { $0 = false }
                // A thread that took a request just before saw the watch awake, and did not wake it.
                if roster.withLock({ $0.waiting == 0 || $0.requests != requests }) {
                    isWatchAwake.withLock { $0 = true }
                }
            }
            last = requests
        }
    }
}
