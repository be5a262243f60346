import Syscalls

/// The threads that decode pages: one queue for everybody, first come, first served, so that readers at the same time
/// get equal shares.
package final class Decoders: Sendable {
    private struct State {
        /// A job that has been taken leaves nil: what it holds must not outlive it.
        var queue: [(@Sendable () -> Void)?] = []
        var next = 0
        var running = 0
    }

    private let state = Monitor(State())
    package let threads: Int

    package init(threads: Int) { self.threads = threads }

    /// Runs the job on one of the threads; threads start with the first jobs and stay.
    func submit(_ job: @escaping @Sendable () -> Void) {
        let needsThread = state.change { state in
            state.queue.append(job)
            guard state.running < threads else { return false }
            state.running += 1
            return true
        }
        if needsThread, !Thread.start({ [state] in Self.run(state) }) {
            let isAlone = state.withLock { state in
                state.running -= 1
                return state.running == 0
            }
            if isAlone { Self.takeOne(state)?() }
        }
    }

    private static func run(_ state: Monitor<State>) {
        while true {
            let job = state.wait(atMost: 3_600_000) { pop(&$0) }
            job()
        }
    }

    private static func takeOne(_ state: Monitor<State>) -> (@Sendable () -> Void)? { state.withLock { pop(&$0) } }

    private static func pop(_ state: inout State) -> (@Sendable () -> Void)? {
        guard state.next < state.queue.count else { return nil }
        let job = state.queue[state.next]
        state.queue[state.next] = nil
        state.next += 1
        if state.next > 64, state.next * 2 > state.queue.count {
            state.queue.removeFirst(state.next)
            state.next = 0
        }
        return job
    }
}
