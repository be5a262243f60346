import Syscalls

/// The thread that sees to what no other one would notice.
extension Crew {
    /// Nanoseconds between two looks.
    private static let pauseOfWatch: UInt64 = 1_000_000
    /// Looks without anything to do after which it sleeps.
    private static let mostQuietLooks = 20

    /// To be called where something begins that may get stuck.
    func wakeWatch() {
        if !isWatchAwake.withLock({ $0 }) { isWatchAwake.change { $0 = true } }
    }

    /// Looks every millisecond, while there is something to do, whether the thread on duty is stuck, or one that others wait for.
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
                // Who took a request just before has not woken us.
                if roster.withLock({ $0.waiting == 0 || $0.requests != requests }) {
                    isWatchAwake.withLock { $0 = true }
                }
            }
            last = requests
        }
    }
}
