import Syscalls

/// The lanes of processes: one per process, for as long as there is a reference to it.
final class Lanes: Sendable {
    private struct Weak {
        weak var lane: Lane?
    }

    private struct State {
        var lanes: [ProcessID: Weak] = [:]
        /// At this size, lanes without references are removed.
        var room = 64
    }

    private let state = Monitor(State())
    private let calls = CallsUnderWay()

    /// The lane of a process; a new one if there is none.
    ///
    /// - Parameter sleeps: whether a thread of the process is in uninterruptible sleep.
    func lane(of process: ProcessID, sleeps: @escaping @Sendable () -> Bool) -> Lane {
        state.withLock { state in
            if let lane = state.lanes[process]?.lane { return lane }
            if state.lanes.count >= state.room {
                state.lanes = state.lanes.filter { $0.value.lane != nil }
                state.room = max(64, 2 * state.lanes.count)
            }
            let lane = Lane(calls, sleeps: sleeps)
            state.lanes[process] = Weak(lane: lane)
            return lane
        }
    }
}
