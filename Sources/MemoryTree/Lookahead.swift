import ProcSource
import Syscalls

/// Work done ahead of a reader on several threads, whose results are handed over in order.
///
/// Used by one reader at a time; `cancel` may come from any thread.
final class Lookahead<Output: Sendable>: @unchecked Sendable {
    // Safety: these two are touched by the one reader alone; the handle it belongs to has a lock.
    private var submitted = 0
    private(set) var taken = 0
    private let decoders: Decoders
    private let results = Monitor(Results())

    private struct Results {
        var done: [Int: Result<Output, ProcError>] = [:]
        var isCancelled = false
    }

    init(_ decoders: Decoders) { self.decoders = decoders }

    deinit { cancel() }

    /// Results that have not been taken.
    var count: Int { submitted - taken }

    /// What has not begun is dropped; what is under way is thrown away when done.
    func cancel() {
        results.change { results in
            results.isCancelled = true
            results.done = [:]
        }
    }

    /// - Parameter here: do it now and on this thread, which is sooner when there is nothing else to do.
    func submit(
        here: Bool = false, _ make: @escaping @Sendable (inout DecodeScratch) throws(ProcError) -> Output
    ) {
        let index = submitted
        submitted += 1
        let job: Decoders.Job = { [results] scratch in
            guard !results.withLock({ $0.isCancelled }) else { return }
            let result: Result<Output, ProcError>
            do throws(ProcError) { result = .success(try make(&scratch)) } catch { result = .failure(error) }
            results.change { results in
                if !results.isCancelled { results.done[index] = result }
            }
        }
        if here {
            var scratch = DecodeScratch()
            job(&scratch)
        } else {
            decoders.submit(job)
        }
    }

    /// The next result if it is there already.
    func nextIfReady() throws(ProcError) -> Output? {
        let index = taken
        guard let result = results.withLock({ $0.done.removeValue(forKey: index) }) else { return nil }
        taken += 1
        return try result.get()
    }

    /// The next result, waited for; nil when there is nothing under way.
    func next(_ reader: Reader) throws(ProcError) -> Output? {
        guard taken < submitted else { return nil }
        let index = taken
        let result = try decoders.wait(for: results, reader) { $0.done.removeValue(forKey: index) }
        taken += 1
        return try result.get()
    }
}
