import Syscalls

/// The lanes of processes: one for each, for as long as somebody holds it.
final class Lanes: Sendable {
    private struct Weak {
        weak var lane: Lane?
    }

    private struct State {
        var lanes: [ProcessID: Weak] = [:]
        /// How many there may be before those that nobody holds are looked for.
        var room = 64
    }

    private let state = Monitor(State())
    private let calls = CallsUnderWay()

    /// - Parameter sleeps: whether a thread of the process sleeps where no signal reaches it.
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
