import ProcModel
import Syscalls

/// Lets go what is held for a moment once nobody has asked for it for a while.
///
/// Its thread looks each second while something is held, and leaves an idle daemon with nothing to do.
final class Caretaker: Sendable {
    private struct State {
        var tasks: [@Sendable () -> Bool] = []
        var lastTask: @Sendable () -> Void = {}
        var isRunning = false
        /// Something has come since the last look.
        var hasNews = false
    }

    private let state = Monitor(State())
    private static let pause: UInt64 = 1_000_000_000
    /// Rounds after which the last task is done also when something is held all the time.
    private static let roundsBetween = 30

    /// - Parameter tasks: each lets go what it can and returns whether it holds nothing any more.
    func look(after tasks: [@Sendable () -> Bool]) { state.withLock { $0.tasks = tasks } }

    /// - Parameter lastTask: done now and then, and when nothing is held any more, a moment before memory is given back.
    func finish(with lastTask: @escaping @Sendable () -> Void) {
        state.withLock { $0.lastTask = lastTask }
    }

    /// To be called when there is something to let go again.
    @Sendable func start() {
        let starts = state.change { state in
            state.hasNews = true
            defer { state.isRunning = true }
            return !state.isRunning
        }
        // Where no thread can be started, the next one who calls tries again.
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
    /// Forgets all; returns whether there was nothing.
    func letGo() -> Bool {
        withLock { hints in
            defer { hints = [:] }
            return hints.isEmpty
        }
    }
}
