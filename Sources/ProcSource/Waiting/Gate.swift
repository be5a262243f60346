import Syscalls

/// What somebody waits for without a thread: opened once, when it is worth trying again.
package final class Gate: Sendable, Equatable {
    private struct State {
        var isOpen = false
        var parked: [Int: @Sendable () -> Void] = [:]
        var last = 0
    }

    private let state = Monitor(State())
    /// What opens it when it is done; nil for a lane's.
    private let work: Errand?

    /// - Parameter work: opens it when it is done.
    package init(of work: Errand? = nil) { self.work = work }

    /// Whether it opens only when a process answers that does not.
    package var isStuck: Bool { work?.isStuck ?? true }

    package static func == (left: Gate, right: Gate) -> Bool { left === right }

    /// Runs `resume` when the gate opens, on the thread that opens it: it must not wait for anything. At once when it is
    /// open already.
    ///
    /// - Returns: a number for `forget`.
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

    /// Nobody waits any more for what was to run under this number.
    package func forget(_ number: Int) { _ = state.withLock { $0.parked.removeValue(forKey: number) } }

    package func open() {
        let parked = state.change { state in
            state.isOpen = true
            defer { state.parked = [:] }
            return state.parked
        }
        for (_, resume) in parked.sorted(by: { $0.key < $1.key }) { resume() }
    }

    /// Waits on the calling thread until it is open.
    package func wait() { state.wait { $0.isOpen ? () : nil } }
}
