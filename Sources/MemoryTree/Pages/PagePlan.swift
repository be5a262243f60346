import ProcModel
import ProcSource
import Syscalls

/// Which pages to decode next: the extents of some spans of address space, found as far ahead as needed and cut into
/// pieces of bounded size. Used by one thread at a time.
struct PagePlan {
    private let pageMap: PageMap
    private let spans: [AddressRange]
    private var span = 0
    private var position: UInt64
    /// Extents that were found. Those before `next` have been returned.
    private var extents: [Extent] = []
    private var next = 0
    /// Pages in `extents[next...]`.
    private var pagesAhead: UInt64 = 0
    /// Pages found so far, returned or not.
    private(set) var pagesFound: UInt64 = 0

    /// Pages of a piece. The pipeline does not check for interruption within a piece, so this limits how long it works
    /// for a reader who has gone.
    static let pagesPerPiece: UInt64 = 2048

    /// - Parameter spans: ascending, page-aligned, in user space. Neighbours are scanned in one call.
    init(_ pageMap: PageMap, spans: [AddressRange]) {
        self.pageMap = pageMap
        var joined: [AddressRange] = []
        var count = 0
        for span in spans {
            // PAGEMAP_SCAN skips unmapped addresses at no cost; reading pagemap does not.
            let reach = pageMap.usesScan ? Self.joinedGap : 0
            if let last = joined.last, span.start - last.end <= reach, count < Self.mostJoined {
                joined[joined.count - 1] = AddressRange(last.start, span.end)
                count += 1
            } else {
                joined.append(span)
                count = 1
            }
        }
        self.spans = joined
        position = joined.first?.start ?? 0
    }

    private static let joinedGap: UInt64 = 1 << 30
    /// Mappings in one scan: it looks at each of them, in a call that cannot be left half way.
    private static let mostJoined = 2048

    /// The most pages that a piece may have.
    var mostInPiece: UInt64 { span == spans.count ? min(pagesFound, Self.pagesPerPiece) : Self.pagesPerPiece }

    /// Bytes that the extents take.
    var bytes: Int { extents.capacity * MemoryLayout<Extent>.stride }

    /// Whether everything has been found and returned.
    var isDone: Bool { span == spans.count && next == extents.count }

    /// Finds extents until there are `pages` ahead; false when fewer are left.
    mutating func find(_ pages: UInt64, _ reader: Reader) throws(ProcError) -> Bool {
        while pagesAhead < pages {
            guard try findMore(reader) else { return false }
        }
        return true
    }

    /// Looks at some more address space; false when there is none left.
    mutating func findMore(_ reader: Reader) throws(ProcError) -> Bool {
        guard span < spans.count else { return false }
        if next > 4096 {
            extents.removeFirst(next)
            next = 0
        }
        try reader.checkInterrupted()
        let end = spans[span].end
        if position < end {
            let before = extents.count
            position = try pageMap.extents(in: AddressRange(position, end), into: &extents)
            let pages = extents[before...].reduce(0) { $0 + ($1.end - $1.start) / pageMap.pageSize }
            pagesAhead += pages
            pagesFound += pages
        }
        if position >= end {
            // A scan of an address space that is gone finds nothing and reports no error.
            if span + 1 == spans.count { try pageMap.requireAlive(spans[span].start) }
            span += 1
            position = span < spans.count ? spans[span].start : 0
        }
        return true
    }

    /// The next piece; nil at the end.
    mutating func piece(_ reader: Reader) throws(ProcError) -> [Extent]? {
        _ = try find(Self.pagesPerPiece, reader)
        var piece: [Extent] = []
        var room = Self.pagesPerPiece * pageMap.pageSize
        while room > 0, next < extents.count {
            let extent = extents[next]
            let end = min(extent.end, extent.start + room)
            piece.append(extent.cut(to: end))
            room -= end - extent.start
            if end == extent.end { next += 1 } else { extents[next] = extent.cut(from: end) }
        }
        guard !piece.isEmpty else { return nil }
        pagesAhead -= piece.reduce(0) { $0 + ($1.end - $1.start) / pageMap.pageSize }
        return piece
    }

    /// All extents there are.
    ///
    /// - Parameter room: counts their bytes while they are being found.
    mutating func all(_ reader: Reader, _ room: Charge) throws(ProcError) -> [Extent] {
        var bytes = 0
        while try findMore(reader) {
            if self.bytes > bytes {
                try room.take(bytes: self.bytes - bytes)
                bytes = self.bytes
            }
        }
        return Array(extents[next...])
    }

    /// How many pages there are. The extents are not kept.
    mutating func count(_ reader: Reader) throws(ProcError) -> UInt64 {
        while try findMore(reader) { extents.removeAll(keepingCapacity: true) }
        return pagesFound
    }
}

extension Extent {
    func cut(from start: UInt64? = nil, to end: UInt64? = nil) -> Extent {
        Extent(start ?? self.start, end ?? self.end, isZero: isZero, isHuge: isHuge, isSwapped: isSwapped)
    }
}
