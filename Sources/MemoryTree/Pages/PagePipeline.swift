import ProcModel
import ProcSource
import Syscalls

/// Decodes the pieces of a plan ahead of its reader, on several threads, and hands the results over in order.
///
/// Policy: two pieces to begin with, and with each that is taken twice as many, up to four for each thread: who reads the
/// first lines of a large table costs little, and who reads on never waits. A piece is the reader's due; more of them, and
/// sorting frames, need room among what all handles hold. Used by one reader at a time.
final class PagePipeline<Output: Sendable>: @unchecked Sendable {
    // Safety: these are touched by the one reader alone; the handle it belongs to has a lock.
    private var plan: PagePlan
    private var queue: ArraySlice<PagePiece> = []
    private var sortsFrames = false
    /// What has been found room for beside the first piece: of the user who reads first, until the end is reached.
    private var charge: Charge?
    private var piecesHeld = 1
    private var bytesHeldToSort = 0

    private let atEnd: @Sendable (Reader) throws(ProcError) -> Void
    private let walk: PageWalk
    private let wanted: PageWalk.Wanted
    private let decoders: Decoders
    private let decode: @Sendable (PagePiece, inout DecodeScratch) throws(ProcError) -> Output
    private let ahead: OrderedJobs<Output>
    private let observed = Monitor(Observed())

    /// Of the pieces whose frames were read in the order of addresses.
    private struct Observed {
        var pages = 0
        var runs = 0

        var hasShortRuns: Bool { pages < SortedFrames.shortRun * runs }
    }

    /// - Parameters:
    ///   - wanted: words of frames that `decode` reads.
    ///   - atEnd: makes sure that the end is one, and not that of what was looked at.
    ///   - decode: makes the result of a piece, by reading it into the scratch's batch.
    init(
        _ plan: PagePlan, _ walk: PageWalk, _ wanted: PageWalk.Wanted, _ decoders: Decoders,
        atEnd: @escaping @Sendable (Reader) throws(ProcError) -> Void,
        decode: @escaping @Sendable (PagePiece, inout DecodeScratch) throws(ProcError) -> Output
    ) {
        self.plan = plan
        self.walk = walk
        self.wanted = wanted
        self.decoders = decoders
        self.decode = decode
        self.atEnd = atEnd
        ahead = OrderedJobs(decoders, walk.pageMap.file.lane)
    }

    func cancel() { ahead.cancel() }

    private static var pieceBytes: Int { Int(PagePlan.pagesPerPiece) * Tree.typicalRowBytes }

    /// Bytes, without those that `charge` counts.
    func mostHeld() -> Int { Int(plan.mostInPiece) * Tree.typicalRowBytes + plan.bytes }

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
        if let output = try ahead.next(reader) { return output }
        try atEnd(reader)
        charge = nil
        return nil
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
        let courtesy = walk.pageMap.courtesy
        let wanted = courtesy.isCalledFor ? 1 : min(2 << min(ahead.taken, 8), decoders.threads * 4)
        while ahead.count < wanted {
            courtesy.wait()
            guard ahead.count < piecesHeld || hasRoom(for: Self.pieceBytes, reader) else { return }
            piecesHeld = max(piecesHeld, ahead.count + 1)
            if queue.isEmpty { try fillQueue(reader) }
            guard let piece = queue.popFirst() else { return }
            ahead.submit(here: ahead.count == 0 && plan.isDone && queue.isEmpty) {
                [decode, observed] scratch throws(ProcError) in
                scratch.batch.begin(0)
                let output = try decode(piece, &scratch)
                if piece.sorted == nil {
                    observed.withLock { observed in
                        observed.pages += scratch.batch.count
                        observed.runs += scratch.batch.runs
                    }
                }
                return output
            }
        }
    }

    private func hasRoom(for bytes: Int, _ reader: Reader) -> Bool {
        if charge == nil { charge = Charge(decoders.quota, reader.requester.user) }
        return charge!.takeSpare(bytes: bytes)
    }

    private func fillQueue(_ reader: Reader) throws(ProcError) {
        sortsFrames = sortsFrames || observed.withLock { $0.hasShortRuns }
        guard sortsFrames, try plan.find(PagePlan.pagesPerPiece * 4, reader) else {
            if let extents = try plan.piece(reader) { queue = [PagePiece(extents: extents)] }
            return
        }
        _ = try plan.find(SortedFrames.mostPages, reader)
        // From here on the pieces are in the queue, whatever happens: one that is not sorted is decoded as it is.
        while queue.count < Int(SortedFrames.mostPages / PagePlan.pagesPerPiece), let piece = try plan.piece(reader) {
            queue.append(PagePiece(extents: piece))
        }
        let pieces = queue.map(\.extents)
        observed.withLock { ($0.pages, $0.runs) = (0, 0) }
        // What was seen may be true of the beginning only.
        sortsFrames = try SortedFrames.hasShortRuns(pieces, walk)
        let bytes = pieces.count * Int(PagePlan.pagesPerPiece) * SortedFrames.bytesPerPage
        if sortsFrames, bytes > bytesHeldToSort, hasRoom(for: bytes - bytesHeldToSort, reader) {
            bytesHeldToSort = bytes
        }
        guard sortsFrames, bytes <= bytesHeldToSort else { return }
        let frames = try SortedFrames(pieces, walk, wanted, decoders, reader)
        sortsFrames = frames.wasWorthwhile
        queue = pieces.indices.map { PagePiece(extents: pieces[$0], sorted: (frames, $0)) }[...]
    }
}
