import ProcModel
import ProcSource
import Syscalls

/// Decodes the pieces of a plan ahead of its reader, on several threads, and returns the results in order.
///
/// Policy: two pieces are decoded ahead at first. The number doubles with each piece taken, up to four for each thread.
/// So the first lines of a large table cost little, and a reader who reads on need not wait. One piece is always
/// allowed. More pieces, and the memory to sort frames, are spare bytes of `HandleQuota`. Used by one reader at a time.
final class PagePipeline<Output: Sendable>: @unchecked Sendable {
    // Safety: these are touched by the one reader alone; the handle it belongs to has a lock.
    private var plan: PagePlan
    private var queue: ArraySlice<PagePiece> = []
    private var sortsFrames = false
    /// The spare bytes taken from the quota, for the user who reads first; given back at the end.
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

    /// Counts over the pieces whose frames were read in address order.
    private struct Observed {
        var pages = 0
        var runs = 0

        var hasShortRuns: Bool { pages < SortedFrames.shortRun * runs }
    }

    /// - Parameters:
    ///   - wanted: the words of frames that `decode` needs.
    ///   - atEnd: checks that the end of the pages is a real one; see `Opening.atEnd`.
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

    /// Bytes that it may hold, without those that `charge` counts.
    func mostHeld() -> Int { Int(plan.mostInPiece) * Tree.typicalRowBytes + plan.bytes }

    /// Counts the pages until this many are found, or a few more. The first of them are decoded meanwhile.
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

    /// Adds up all results in order.
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
        // From here on the pieces stay in the queue, even if a call below throws. One that is not sorted is decoded as
        // it is.
        while queue.count < Int(SortedFrames.mostPages / PagePlan.pagesPerPiece), let piece = try plan.piece(reader) {
            queue.append(PagePiece(extents: piece))
        }
        let pieces = queue.map(\.extents)
        observed.withLock { ($0.pages, $0.runs) = (0, 0) }
        // Only the pages so far may have had short runs: sample these.
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
