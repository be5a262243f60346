import ProcModel
import ProcSource
import Syscalls

/// How many pages have which state: the last lines of `summary`.
struct EntryCounts: Sendable {
    private var pages = [UInt64](repeating: 0, count: PageState.allCases.count)

    subscript(state: PageState) -> UInt64 { pages[Int(state.rawValue)] }

    mutating func add(_ state: PageState, _ count: UInt64 = 1) { pages[Int(state.rawValue)] += count }

    mutating func add(_ other: EntryCounts) {
        for index in pages.indices { pages[index] += other.pages[index] }
    }

    /// Pages that have an entry.
    var entries: UInt64 { pages.reduce(0, +) - self[.absent] }

    /// The keys in the order of the report.
    static let states: [(key: String, state: PageState)] = [
        ("Present", .present), ("Swapped", .swapped), ("Zero", .zero), ("Guard", .guard), ("Marker", .marker),
        ("Special", .special),
    ]
}

extension Opening {
    /// Counts the pages of the ranges by state. PAGEMAP_SCAN tells present pages and zero pages from the rest without
    /// reading an entry. Only the entries of the rest are read.
    func entryCounts(_ ranges: [AddressRange], _ walk: PageWalk) throws(ProcError) -> EntryCounts {
        try reduce(ranges, walk, .flags, into: EntryCounts()) { piece, scratch throws(ProcError) in
            var counts = EntryCounts()
            var rest: [Extent] = []
            for extent in piece.extents {
                if walk.pageMap.usesScan, !extent.isSwapped {
                    counts.add(extent.isZero ? .zero : .present, (extent.end - extent.start) / walk.pageMap.pageSize)
                } else {
                    rest.append(extent)
                }
            }
            let isWhole = rest.count == piece.extents.count
            try walk.read(
                PagePiece(extents: rest, sorted: isWhole ? piece.sorted : nil), .flags, into: &scratch.batch)
            for index in 0..<scratch.batch.count { counts.add(scratch.batch[index].state) }
            return counts
        } add: {
            $0.add($1)
        }
    }
}
