import MemoryTree
import ProcSource
import Syscalls

/// Work whose requests get a reply soon, even if one of its calls does not return.
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

    /// Runs the job on the calling thread.
    ///
    /// - Parameter reply: answers the request if the job gets stuck.
    func run(_ job: Job, reply: @escaping @Sendable (Request) -> Void) {
        let number = state.withLock { state in
            state.last += 1
            state.entries[state.last] = Entry(job: job, reply: reply)
            return state.last
        }
        job.run()
        // An unfinished job waits without a thread and stays in the table. Freed after the lock.
        let done = job.isFinished ? state.withLock { $0.entries.removeValue(forKey: number) } : nil
        _ = done
    }

    /// Replies for jobs that are stuck. Call it every few milliseconds while there is work under way.
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
