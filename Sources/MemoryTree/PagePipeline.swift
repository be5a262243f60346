import ProcModel
import ProcSource
import Syscalls

/// Decodes the pieces of a plan ahead of its reader, on several threads, and hands the results over in order.
///
/// Memory is bounded by how many pieces may be under way. Used by one reader at a time.
final class PagePipeline<Output: Sendable>: @unchecked Sendable {
    // Safety: `plan`, `submitted` and `taken` are touched by the one reader alone; the handle it belongs to has a lock.
    private var plan: PagePlan
    private var submitted = 0
    private var taken = 0
    private let work: Work

    private final class Work: Sendable {
        let decoders: Decoders
        let decode: @Sendable ([Extent]) throws(ProcError) -> Output
        let results = Monitor(Results())

        init(_ decoders: Decoders, _ decode: @escaping @Sendable ([Extent]) throws(ProcError) -> Output) {
            self.decoders = decoders
            self.decode = decode
        }
    }

    private struct Results {
        var done: [Int: Result<Output, ProcError>] = [:]
        var isCancelled = false
    }

    init(
        _ plan: PagePlan, _ decoders: Decoders, decode: @escaping @Sendable ([Extent]) throws(ProcError) -> Output
    ) {
        self.plan = plan
        work = Work(decoders, decode)
    }

    deinit { cancel() }

    /// Pieces not yet begun are dropped; what is being decoded is thrown away when done.
    func cancel() {
        work.results.change { results in
            results.isCancelled = true
            results.done = [:]
        }
    }

    /// The next result; nil at the end.
    func next(_ reader: Reader) throws(ProcError) -> Output? {
        let window = work.decoders.threads * 2 + 2
        while submitted - taken < window, !plan.isDone {
            guard let piece = try plan.piece(reader) else { break }
            if submitted == taken, plan.isDone {
                // A single piece is done sooner here than on another thread.
                submitted += 1
                taken += 1
                return try work.decode(piece)
            }
            submit(piece)
        }
        guard taken < submitted else { return nil }
        let index = taken
        let result: Result<Output, ProcError>? = work.results.wait(atMost: 5) { results in
            if let result = results.done.removeValue(forKey: index) { return .some(result) }
            return reader.isInterrupted() ? .some(nil) : nil
        }
        guard let result else { throw .interrupted }
        taken += 1
        return try result.get()
    }

    private func submit(_ piece: [Extent]) {
        let index = submitted
        submitted += 1
        let work = work
        work.decoders.submit {
            guard !work.results.withLock({ $0.isCancelled }) else { return }
            let result: Result<Output, ProcError>
            do throws(ProcError) { result = .success(try work.decode(piece)) } catch { result = .failure(error) }
            work.results.change { results in
                if !results.isCancelled { results.done[index] = result }
            }
        }
    }

    /// Folds all results in order.
    func reduce<Total>(
        into total: Total, _ reader: Reader, _ add: (inout Total, Output) -> Void
    ) throws(ProcError) -> Total {
        var total = total
        while let output = try next(reader) { add(&total, output) }
        return total
    }
}
