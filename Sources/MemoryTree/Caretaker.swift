import Syscalls

/// Lets go what is held for a moment once nobody has asked for it for a while.
///
/// Its thread looks each second, lives only while something is held, and leaves an idle daemon with nothing to do.
final class Caretaker: Sendable {
    private struct State {
        var tasks: [@Sendable () -> Bool] = []
        var isRunning = false
        /// Something has come since the last look.
        var hasNews = false
    }

    private let state = Monitor(State())
    private static let pause: UInt64 = 1_000_000_000

    /// - Parameter tasks: each lets go what it can and returns whether it holds nothing any more.
    func look(after tasks: [@Sendable () -> Bool]) { state.withLock { $0.tasks = tasks } }

    /// To be called when there is something to let go again.
    @Sendable func start() {
        let starts = state.withLock { state in
            state.hasNews = true
            defer { state.isRunning = true }
            return !state.isRunning
        }
        // Where no thread can be started, the next one who calls tries again.
        if starts, !Thread.start({ [self] in run() }) { state.withLock { $0.isRunning = false } }
    }

    private func run() {
        while true {
            System.sleep(nanoseconds: Self.pause)
            let tasks = state.withLock { state in
                state.hasNews = false
                return state.tasks
            }
            let hold = tasks.filter { !$0() }
            let ends = state.withLock { state in
                guard hold.isEmpty, !state.hasNews else { return false }
                state.isRunning = false
                return true
            }
            guard ends else { continue }
            System.returnFreeMemory()
            return
        }
    }
}

extension Monitor where State == [[UInt8]: Int32] {
    /// Forgets all; returns whether there was nothing.
    func letGo() -> Bool {
        withLock { hints in
            defer { hints = [:] }
            return hints.isEmpty
        }
    }
}
