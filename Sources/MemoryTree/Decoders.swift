import ProcSource
import Syscalls

/// The threads that decode pages: one queue for everybody, first come, first served, so that readers at the same time
/// get equal shares.
///
/// One of them is whichever thread waits for a result first: it would be woken only to send the result on, and with a
/// thread more than there are processors a piece that everybody waits for lies about half done.
package final class Decoders: Sendable {
    typealias Job = @Sendable (inout DecodeScratch) -> Void

    private struct State {
        /// A job that has been taken leaves nil: what it holds must not outlive it.
        var queue: [Job?] = []
        var next = 0
        /// Threads of our own.
        var running = 0
        /// What the thread that helps works with; nil while one does, or where none may.
        var helpersScratch: DecodeScratch?
    }

    private let state: Monitor<State>
    /// How many decode at a time.
    package let threads: Int

    /// Where room for what is decoded ahead of readers is found.
    let holdings: Holdings

    package init(threads: Int, _ holdings: Holdings) {
        self.threads = threads
        self.holdings = holdings
        state = Monitor(State(helpersScratch: threads > 1 ? DecodeScratch() : nil))
    }

    /// Runs the job on one of the threads; threads start with the first jobs and stay.
    func submit(_ job: @escaping Job) {
        let needsThread = state.change { state in
            state.queue.append(job)
            guard state.running < max(1, threads - 1) else { return false }
            state.running += 1
            return true
        }
        if needsThread, !Thread.start({ [state] in Self.run(state) }) {
            let isAlone = state.withLock { state in
                state.running -= 1
                return state.running == 0
            }
            var scratch = DecodeScratch()
            if isAlone { state.withLock { Self.pop(&$0) }?(&scratch) }
        }
    }

    /// Waits for a result and decodes meanwhile.
    ///
    /// - Parameters:
    ///   - results: changes when a job has been done.
    ///   - take: the result, once it is there.
    func wait<Results, Result>(
        for results: Monitor<Results>, _ reader: Reader, _ take: (inout Results) -> Result?
    ) throws(ProcError) -> Result {
        while true {
            if let result = results.withLock(take) { return result }
            try reader.checkInterrupted()
            if help() { continue }
            let result: Result?? = results.wait(atMost: 5) { results in
                if let result = take(&results) { return .some(result) }
                return reader.isInterrupted() ? .some(nil) : nil
            }
            if case .some(.some(let result)) = result { return result }
        }
    }

    /// Does one job; false when there is none, or another thread helps already.
    private func help() -> Bool {
        let taken: (job: Job, scratch: DecodeScratch)? = state.withLock { state in
            guard let scratch = state.helpersScratch, let job = Self.pop(&state) else { return nil }
            state.helpersScratch = nil
            return (job, scratch)
        }
        guard let taken else { return false }
        var scratch = taken.scratch
        taken.job(&scratch)
        state.withLock { $0.helpersScratch = scratch }
        return true
    }

    /// Makes `count` results on all threads; returns them in order.
    func map<Output: Sendable>(
        _ count: Int, _ reader: Reader,
        _ make: @escaping @Sendable (Int, inout DecodeScratch) throws(ProcError) -> Output
    ) throws(ProcError) -> [Output] {
        let results = Monitor((done: [Result<Output, ProcError>?](repeating: nil, count: count), left: count))
        let isGivenUp = Monitor(false)
        for index in 0..<count {
            submit { scratch in
                var result: Result<Output, ProcError> = .failure(.interrupted)
                if !isGivenUp.withLock({ $0 }) {
                    do throws(ProcError) { result = .success(try make(index, &scratch)) } catch {
                        result = .failure(error)
                    }
                }
                let isLast = results.withLock { results in
                    results.done[index] = result
                    results.left -= 1
                    return results.left == 0
                }
                if isLast { results.change { _ in } }
            }
        }
        let done: [Result<Output, ProcError>?]
        do {
            done = try wait(for: results, reader) { $0.left == 0 ? $0.done : nil }
        } catch {
            isGivenUp.withLock { $0 = true }
            throw error
        }
        var outputs: [Output] = []
        outputs.reserveCapacity(count)
        for result in done { outputs.append(try result!.get()) }
        return outputs
    }

    private static func run(_ state: Monitor<State>) {
        var scratch = DecodeScratch()
        while true {
            let job = state.wait(atMost: 3_600_000) { pop(&$0) }
            job(&scratch)
        }
    }

    private static func pop(_ state: inout State) -> Job? {
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
