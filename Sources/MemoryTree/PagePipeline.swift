import ProcModel
import ProcSource
import Syscalls

/// Decodes the pieces of a plan ahead of its reader, on several threads, and hands the results over in order.
///
/// Memory is bounded by how many pieces may be under way. Used by one reader at a time.
final class PagePipeline<Output: Sendable>: @unchecked Sendable {
    // Safety: `plan`, `queue` and `sortsFrames` are touched by the one reader alone; the handle it belongs to has a lock.
    private var plan: PagePlan
    private var queue: ArraySlice<PagePiece> = []
    private var sortsFrames = false

    private let walk: PageWalk
    private let wanted: PageWalk.Wanted
    private let decoders: Decoders
    private let decode: @Sendable (PagePiece, inout DecodeScratch) throws(ProcError) -> Output
    private let ahead: Lookahead<Output>
    private let observed = Monitor(Observed())

    /// Of the pieces whose frames were read in the order of addresses.
    private struct Observed {
        var pieces = 0
        var pages = 0
        var runs = 0

        var hasShortRuns: Bool { pages < SortedFrames.shortRun * runs }
    }

    /// - Parameters:
    ///   - wanted: words of frames that `decode` reads.
    ///   - decode: makes the result of a piece, by reading it into the scratch's batch.
    init(
        _ plan: PagePlan, _ walk: PageWalk, _ wanted: PageWalk.Wanted, _ decoders: Decoders,
        decode: @escaping @Sendable (PagePiece, inout DecodeScratch) throws(ProcError) -> Output
    ) {
        self.plan = plan
        self.walk = walk
        self.wanted = wanted
        self.decoders = decoders
        self.decode = decode
        ahead = Lookahead(decoders)
    }

    func cancel() { ahead.cancel() }

    /// Counts the pages up to that many, or a few more, while the first of them are being decoded.
    func find(_ pages: UInt64, _ reader: Reader) throws(ProcError) -> UInt64 {
        while plan.pagesFound < pages, try plan.findMore(reader) {
            if !plan.isDone { try submitWhatFits(reader) }
        }
        return plan.pagesFound
    }

    /// The next result; nil at the end.
    func next(_ reader: Reader) throws(ProcError) -> Output? {
        try submitWhatFits(reader)
        return try ahead.next(reader)
    }

    /// Folds all results in order.
    func reduce<Total>(
        into total: Total, _ reader: Reader, _ add: (inout Total, Output) -> Void
    ) throws(ProcError) -> Total {
        var total = total
        while let output = try next(reader) { add(&total, output) }
        return total
    }

    private func submitWhatFits(_ reader: Reader) throws(ProcError) {
        // Until the first piece has shown how long runs are, there is little use in running far ahead.
        let seen = observed.withLock { $0.pieces > 0 }
        while ahead.count < (seen ? decoders.threads * 4 : decoders.threads) {
            if queue.isEmpty { try fillQueue(reader) }
            guard let piece = queue.popFirst() else { return }
            ahead.submit(here: ahead.count == 0 && plan.isDone && queue.isEmpty) {
                [decode, observed] scratch throws(ProcError) in
                scratch.batch.begin(0)
                let output = try decode(piece, &scratch)
                observed.withLock { observed in
                    observed.pieces += 1
                    if piece.sorted == nil {
                        observed.pages += scratch.batch.count
                        observed.runs += scratch.batch.runs
                    }
                }
                return output
            }
        }
    }

    private func fillQueue(_ reader: Reader) throws(ProcError) {
        sortsFrames = sortsFrames || observed.withLock { $0.hasShortRuns }
        guard sortsFrames, try plan.find(PagePlan.pagesPerPiece * 4, reader) else {
            if let extents = try plan.piece(reader) { queue = [PagePiece(extents: extents)] }
            return
        }
        _ = try plan.find(SortedFrames.mostPages, reader)
        var pieces: [[Extent]] = []
        while pieces.count < Int(SortedFrames.mostPages / PagePlan.pagesPerPiece), let piece = try plan.piece(reader) {
            pieces.append(piece)
        }
        observed.withLock { ($0.pages, $0.runs) = (0, 0) }
        // What was seen may be true of the beginning only.
        sortsFrames = try SortedFrames.hasShortRuns(pieces, walk)
        guard sortsFrames else {
            queue = pieces.map { PagePiece(extents: $0) }[...]
            return
        }
        let frames = try SortedFrames(pieces, walk, wanted, decoders, reader)
        sortsFrames = frames.wasWorthwhile
        queue = pieces.indices.map { PagePiece(extents: pieces[$0], sorted: (frames, $0)) }[...]
    }
}
