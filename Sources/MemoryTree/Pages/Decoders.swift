import ProcSource
import Syscalls

/// The threads that decode pages. All readers share one queue, first come, first served, so that readers at the same
/// time get equal shares.
///
/// One of them is a reader's: the first thread that waits for a result decodes meanwhile. Otherwise it would be woken
/// only to send the result on, and with one thread more than there are processors, a piece that all wait for would
/// often lie half done. It decodes its own reader's pieces only. A thread that is stuck in a process that does not
/// answer no longer counts: another takes its place.
package final class Decoders: Sendable {
    typealias Job = @Sendable (inout DecodeScratch) -> Void

    private struct Entry {
        let job: Job
        /// Identifies the work that it belongs to.
        let owner: ObjectIdentifier
    }

    private struct State {
        /// A job that was taken is replaced with nil, so that what it holds is freed when it is done.
        var queue: [Entry?] = []
        var next = 0
        /// Own threads by number: since when each has worked on its job, in nanoseconds; 0 for one without a job.
        var since: [Int: UInt64] = [:]
        var last = 0
        /// The memory that a helping reader uses; nil while one helps.
        var helpersScratch: DecodeScratch?
        /// Since when a reader helps; 0 while none does.
        var helperSince: UInt64 = 0

        /// How many threads are not stuck.
        func active(_ now: UInt64) -> Int { since.values.count { $0 == 0 || now - min(now, $0) < patience } }

        /// Whether no more threads may be started, even if all are stuck.
        func isFull(_ wanted: Int) -> Bool { since.count >= wanted + mostStuck }
    }

    /// Nanoseconds for which a thread without a job stays.
    private static let longestIdle: UInt64 = 1_000_000_000
    private static let mostStuck = 64
    /// Nanoseconds after which a job counts as stuck.
    private static let patience: UInt64 = 20_000_000

    private let state: Monitor<State>
    /// How many decode at a time.
    package let threads: Int

    /// Counts what is decoded ahead of readers.
    let quota: HandleQuota

    package init(threads: Int, _ quota: HandleQuota) {
        self.threads = threads
        self.quota = quota
        state = Monitor(State())
    }

    /// How many own threads there should be that are not stuck.
    private var wanted: Int { max(1, threads - 1) }

    /// Runs the job on one of the threads. They start with the first jobs and stay while there are more.
    func submit(_ job: @escaping Job, of owner: ObjectIdentifier) {
        state.change { $0.queue.append(Entry(job: job, owner: owner)) }
        startIfNeeded()
    }

    /// Starts a thread if fewer than `wanted` are there and not stuck. If none can be started, the reader who waits
    /// does the work.
    private func startIfNeeded() {
        let number: Int? = state.withLock { state in
            guard state.active(System.monotonicNanoseconds) < wanted, !state.isFull(wanted) else { return nil }
            state.last += 1
            state.since[state.last] = 0
            return state.last
        }
        guard let number else { return }
        if !Thread.start({ [state, wanted] in Self.run(state, number, wanted) }) {
            _ = state.withLock { $0.since.removeValue(forKey: number) }
        }
    }

    /// Waits for a result and decodes meanwhile.
    ///
    /// - Parameters:
    ///   - results: changes when a job is done.
    ///   - owner: the owner of the jobs that are waited for.
    ///   - lane: the lane of the process that the jobs read.
    ///   - take: takes the result; nil while it is not there.
    func wait<Results, Result>(
        for results: Monitor<Results>, of owner: ObjectIdentifier, _ lane: Lane, _ reader: Reader,
        _ take: (inout Results) -> Result?
    ) throws(ProcError) -> Result {
        let began = System.monotonicNanoseconds
        while true {
            if let result = results.withLock(take) {
                Errand.current.noteCall(since: 0)
                return result
            }
            try reader.checkInterrupted()
            if help(owner) { continue }
            var isLooking = false
            let result: Result?? = results.wait(atMost: 5) { results in
                if let result = take(&results) { return .some(result) }
                defer { isLooking = true }
                return isLooking || reader.isInterrupted() ? .some(nil) : nil
            }
            if case .some(.some(let result)) = result { return result }
            guard System.monotonicNanoseconds - began > Self.patience else { continue }
            lane.noteWaiting()
            if let gate = lane.gateIfStuck() { throw .mustWait(gate) }
            startIfNeeded()
        }
    }

    /// Does one job of the owner; false when there is none, or another thread helps already.
    private func help(_ owner: ObjectIdentifier) -> Bool {
        let now = System.monotonicNanoseconds
        let taken: (job: Job, scratch: DecodeScratch)? = state.withLock { state in
            guard threads > 1 || state.since.isEmpty, now - min(now, state.helperSince) >= Self.patience,
                let job = Self.pop(&state, of: owner)
            else { return nil }
            state.helperSince = now
            defer { state.helpersScratch = nil }
            // A stuck helper still has the memory: make other memory.
            return (job, state.helpersScratch ?? DecodeScratch())
        }
        guard let taken else { return false }
        var scratch = taken.scratch
        taken.job(&scratch)
        state.withLock { state in
            guard state.helperSince == now else { return }
            state.helperSince = 0
            state.helpersScratch = scratch
        }
        return true
    }

    /// Makes `count` results on all threads; returns them in order.
    func map<Output: Sendable>(
        _ count: Int, _ lane: Lane, _ reader: Reader,
        _ make: @escaping @Sendable (Int, inout DecodeScratch) throws(ProcError) -> Output
    ) throws(ProcError) -> [Output] {
        let results = Monitor((done: [Result<Output, ProcError>?](repeating: nil, count: count), left: count))
        let isGivenUp = Monitor(false)
        let errand = Errand(for: reader.requester.user, partOf: .current) { isGivenUp.withLock { $0 } }
        let owner = ObjectIdentifier(results)
        for index in 0..<count {
            let job: Job = { scratch in
                var result: Result<Output, ProcError> = .failure(.interrupted)
                if !errand.isGivenUp() {
                    do throws(ProcError) {
                        result = .success(try errand.run { () throws(ProcError) in try make(index, &scratch) })
                    } catch { result = .failure(error) }
                }
                let isLast = results.withLock { results in
                    results.done[index] = result
                    results.left -= 1
                    return results.left == 0
                }
                if isLast { results.change { _ in } }
            }
            submit(job, of: owner)
        }
        let done: [Result<Output, ProcError>?]
        do {
            done = try wait(for: results, of: owner, lane, reader) { $0.left == 0 ? $0.done : nil }
        } catch {
            isGivenUp.withLock { $0 = true }
            throw error
        }
        var outputs: [Output] = []
        outputs.reserveCapacity(count)
        for result in done { outputs.append(try result!.get()) }
        return outputs
    }

    private static func run(_ state: Monitor<State>, _ number: Int, _ wanted: Int) {
        var scratch = DecodeScratch()
        while true {
            let end = System.monotonicNanoseconds + longestIdle
            let job: Job? = state.wait { state in
                state.since[number] = 0
                let now = System.monotonicNanoseconds
                // A thread that was stuck may have been replaced.
                if state.active(now) > wanted || now > end && state.next == state.queue.count {
                    state.since[number] = nil
                    return .some(nil)
                }
                guard let job = pop(&state) else { return nil }
                state.since[number] = System.monotonicNanoseconds
                return job
            }
            guard let job else { return }
            job(&scratch)
        }
    }

    /// Takes out the first job, or the first of an owner.
    private static func pop(_ state: inout State, of owner: ObjectIdentifier? = nil) -> Job? {
        let first = state.queue[state.next...].firstIndex { entry in
            guard let entry else { return false }
            return owner == nil || entry.owner == owner
        }
        guard let first, let entry = state.queue[first] else { return nil }
        state.queue[first] = nil
        while state.next < state.queue.count, state.queue[state.next] == nil { state.next += 1 }
        if state.next > 64, state.next * 2 > state.queue.count {
            state.queue.removeFirst(state.next)
            state.next = 0
        }
        return entry.job
    }
}
