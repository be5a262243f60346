import ProcModel
import Syscalls

/// Drops what is kept for a short time, once it has not been used for a while.
///
/// Its thread looks once a second while something is held. In an idle daemon it sleeps.
final class Caretaker: Sendable {
    private struct State {
        var tasks: [@Sendable () -> Bool] = []
        var lastTask: @Sendable () -> Void = {}
        var isRunning = false
        /// Whether `start` was called since the last look.
        var hasNews = false
    }

    private let state = Monitor(State())
    private static let pause: UInt64 = 1_000_000_000
    /// The last task is done at least once in so many rounds, even if something is always held.
    private static let roundsBetween = 30

    /// - Parameter tasks: each drops what it can, and returns whether it holds nothing any more.
    func look(after tasks: [@Sendable () -> Bool]) { state.withLock { $0.tasks = tasks } }

    /// - Parameter lastTask: done when nothing is held any more, before free memory is returned to the kernel; and
    ///   every `roundsBetween` rounds.
    func finish(with lastTask: @escaping @Sendable () -> Void) {
        state.withLock { $0.lastTask = lastTask }
    }

    /// Call it when there is something to drop later.
    @Sendable func start() {
        let starts = state.change { state in
            state.hasNews = true
            defer { state.isRunning = true }
            return !state.isRunning
        }
        // If no thread can be started, the next call tries again.
        if starts, !Thread.start({ [self] in run() }) { state.withLock { $0.isRunning = false } }
    }

    private func run() {
        var isDone = false
        var rounds = 0
        while true {
            rounds += 1
            System.sleep(nanoseconds: Self.pause)
            let (tasks, lastTask) = state.withLock { state in
                state.hasNews = false
                return (state.tasks, state.lastTask)
            }
            let isEmpty = tasks.filter { !$0() }.isEmpty
            guard isEmpty, isDone else {
                if isEmpty || rounds % Self.roundsBetween == 0 { lastTask() }
                isDone = isEmpty
                continue
            }
            System.returnFreeMemory()
            state.wait(atMost: 3_600_000) { $0.hasNews ? () : nil }
            isDone = false
        }
    }
}

extension Monitor where State == [[UInt8]: PID] {
    /// Drops all of them; returns whether there were none.
    func letGo() -> Bool {
        withLock { hints in
            defer { hints = [:] }
            return hints.isEmpty
        }
    }
}
