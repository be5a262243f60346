import ProcSource
import Syscalls

/// Work done ahead of a reader on several threads. The results are returned in order.
///
/// Used by one reader at a time; `cancel` may be called from any thread. After a temporary failure (`isPassing`) a job
/// is run again, so that no result is left out.
final class OrderedJobs<Output: Sendable>: @unchecked Sendable {
    typealias Make = @Sendable (inout DecodeScratch) throws(ProcError) -> Output

    // Safety: these are touched by the one reader alone; the handle it belongs to has a lock.
    private var submitted = 0
    private(set) var taken = 0
    /// The jobs whose results have not been taken.
    private var makers: [Make] = []
    private let decoders: Decoders
    private let lane: Lane
    private let results = Monitor(Results())

    private struct Results {
        var done: [Int: Result<Output, ProcError>] = [:]
        var isCancelled = false
    }

    /// - Parameter lane: the lane of the process that the jobs read.
    init(_ decoders: Decoders, _ lane: Lane) {
        self.decoders = decoders
        self.lane = lane
    }

    deinit { cancel() }

    /// How many results have not been taken.
    var count: Int { submitted - taken }

    /// Drops the jobs that have not begun, and later the results of those that have.
    func cancel() {
        results.change { results in
            results.isCancelled = true
            results.done = [:]
        }
    }

    /// - Parameter here: run it now on this thread, which is faster when there is nothing else to do.
    func submit(here: Bool = false, _ make: @escaping Make) {
        submitted += 1
        makers.append(make)
        run(submitted - 1, here: here)
    }

    private func run(_ index: Int, here: Bool = false) {
        let make = makers[index - taken]
        let whole = Errand.current
        let errand =
            here ? nil : Errand(for: whole.user, partOf: whole) { [results] in results.withLock { $0.isCancelled } }
        let job: Decoders.Job = { [results] scratch in
            guard !results.withLock({ $0.isCancelled }) else { return }
            let result: Result<Output, ProcError>
            do throws(ProcError) {
                let made =
                    if let errand { try errand.run { () throws(ProcError) in try make(&scratch) } } else {
                        try make(&scratch)
                    }
                result = .success(made)
            } catch { result = .failure(error) }
            results.change { results in
                if !results.isCancelled { results.done[index] = result }
            }
        }
        if here {
            var scratch = DecodeScratch()
            job(&scratch)
        } else {
            decoders.submit(job, of: ObjectIdentifier(self))
        }
    }

    /// The next result if it is ready; else nil.
    func nextIfReady() throws(ProcError) -> Output? {
        let index = taken
        guard let result = results.withLock({ $0.done.removeValue(forKey: index) }) else { return nil }
        return try take(result)
    }

    /// Waits for the next result; nil when there is no job left.
    func next(_ reader: Reader) throws(ProcError) -> Output? {
        guard taken < submitted else { return nil }
        let index = taken
        let result = try decoders.wait(for: results, of: ObjectIdentifier(self), lane, reader) {
            $0.done.removeValue(forKey: index)
        }
        return try take(result)
    }

    private func take(_ result: Result<Output, ProcError>) throws(ProcError) -> Output {
        if case .failure(let error) = result, error.isPassing {
            run(taken)
            throw error
        }
        taken += 1
        makers.removeFirst()
        return try result.get()
    }
}
