import MemoryTree
import ProcSource
import Syscalls

/// Work whose requests get a reply soon, also while a call of it does not come back.
final class Hurried: Sendable {
    private struct Entry {
        let job: Job
        let reply: @Sendable (Request) -> Void
    }

    private struct State {
        var entries: [Int: Entry] = [:]
        var last = 0
    }

    private let state = Monitor(State())

    /// Has it done on the calling thread.
    ///
    /// - Parameter reply: what its request gets when it is stuck.
    func run(_ job: Job, reply: @escaping @Sendable (Request) -> Void) {
        let number = state.withLock { state in
            state.last += 1
            state.entries[state.last] = Entry(job: job, reply: reply)
            return state.last
        }
        job.run()
        // It may wait without a thread. Freed after the lock.
        let done = job.isFinished ? state.withLock { $0.entries.removeValue(forKey: number) } : nil
        _ = done
    }

    /// Replies to those that are stuck; to be called every few milliseconds.
    ///
    /// - Returns: whether there is work under way.
    func hurry() -> Bool {
        let entries = state.withLock { $0.entries }
        for (number, entry) in entries {
            let isStuck = entry.job.isStuck
            guard isStuck || entry.job.isFinished else { continue }
            if isStuck { entry.job.abandon(entry.reply) }
            _ = state.withLock { $0.entries.removeValue(forKey: number) }
        }
        return state.withLock { !$0.entries.isEmpty }
    }
}
