import Syscalls

/// Lets work wait without a thread. It opens once, when it is worth trying again.
package final class Gate: Sendable, Equatable {
    private struct State {
        var isOpen = false
        var parked: [Int: @Sendable () -> Void] = [:]
        var last = 0
    }

    private let state = Monitor(State())
    /// The work that opens it when it is done; nil for the gate of a lane.
    private let work: Errand?

    /// - Parameter work: the work that opens it when it is done.
    package init(of work: Errand? = nil) { self.work = work }

    /// Whether it stays closed until a process answers that does not answer now.
    package var isStuck: Bool { work?.isStuck ?? true }

    package static func == (left: Gate, right: Gate) -> Bool { left === right }

    /// Runs `resume` on the thread that opens the gate, or now if the gate is open. `resume` must not wait for anything.
    ///
    /// - Returns: a number to pass to `forget`.
    @discardableResult
    package func whenOpen(_ resume: @escaping @Sendable () -> Void) -> Int {
        let (isOpen, number) = state.withLock { state in
            state.last += 1
            if !state.isOpen { state.parked[state.last] = resume }
            return (state.isOpen, state.last)
        }
        if isOpen { resume() }
        return number
    }

    /// Removes what `whenOpen` was to run; it takes the number that `whenOpen` returned.
    package func forget(_ number: Int) { _ = state.withLock { $0.parked.removeValue(forKey: number) } }

    package func open() {
        let parked = state.change { state in
            state.isOpen = true
            defer { state.parked = [:] }
            return state.parked
        }
        for (_, resume) in parked.sorted(by: { $0.key < $1.key }) { resume() }
    }

    /// Blocks the calling thread until the gate is open.
    package func wait() { state.wait { $0.isOpen ? () : nil } }
}
