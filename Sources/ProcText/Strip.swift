import ProcModel

/// What one character of `strip` can stand for. The first kind that applies to a page is taken; in a tie between kinds
/// in a bucket, the earlier one.
package enum PageKind: UInt8, CaseIterable, Sendable {
    case zero, swapped, `guard`, other, ksm, huge, anonymous, file, hole

    package var letter: Unicode.Scalar {
        switch self {
        case .zero: "Z"
        case .swapped: "S"
        case .guard: "G"
        case .other: "x"
        case .ksm: "k"
        case .huge: "H"
        case .anonymous: "a"
        case .file: "f"
        case .hole: "."
        }
    }

    /// One word for the header.
    package var shortMeaning: String {
        switch self {
        case .zero: "zero"
        case .swapped: "swapped"
        case .guard: "guard"
        case .other: "other"
        case .ksm: "ksm"
        case .huge: "huge"
        case .anonymous: "anonymous"
        case .file: "file"
        case .hole: "hole"
        }
    }

    package var meaning: String {
        switch self {
        case .zero: "zero page"
        case .swapped: "swapped"
        case .guard: "guard region"
        case .other: "marker, special entry, or anything else"
        case .ksm: "merged by KSM"
        case .huge: "part of a large folio: flag thp or huge"
        case .anonymous: "anonymous"
        case .file: "file or shared memory"
        case .hole: "no page table entry"
        }
    }

    /// - Parameter huge: whether PAGEMAP_SCAN calls the page huge; used if flags are hidden from the reader.
    package init(_ page: PageRecord, huge: Bool, _ context: FrameContext) {
        switch page.state {
        case .absent: self = .hole
        case .zero: self = .zero
        case .swapped: self = .swapped
        case .guard: self = .guard
        case .marker, .special: self = .other
        case .present:
            let isFile = page.entry.rawValue & PageMapEntry.fileBit != 0
            guard context.view.flags == .known else {
                self = huge ? .huge : isFile ? .file : .anonymous
                return
            }
            let flags = context.flags(of: page)
            self =
                flags.contains(.ksm)
                ? .ksm
                : !flags.isDisjoint(with: [.thp, .huge])
                    ? .huge : flags.contains(.anonymous) ? .anonymous : isFile ? .file : .other
        }
    }
}

/// A picture of the kinds of pages: each character shows the most frequent kind in its bucket.
package struct Strip: Picture {
    package let grid: PictureGrid
    private var counts: [UInt64]

    package init(pages: UInt64) {
        grid = PictureGrid(pages: pages)
        counts = Array(repeating: 0, count: grid.buckets * PageKind.allCases.count)
    }

    /// Counts `count` pages of one kind, starting at page number `first`.
    package mutating func add(_ kind: PageKind, first: UInt64, count: UInt64) {
        grid.forEachBucket(first: first, count: count) { bucket, count in
            counts[bucket * PageKind.allCases.count + Int(kind.rawValue)] += count
        }
    }

    package var legend: String {
        "# the lowest address is at the upper left, one character is \(grid.scale): "
            + PageKind.allCases.map { "\($0.letter) \($0.shortMeaning)" }.joined(separator: ", ")
    }

    /// Pages that were not counted are holes.
    package func character(of bucket: Int) -> Unicode.Scalar {
        let kinds = PageKind.allCases
        var row = Array(counts[(bucket * kinds.count)..<((bucket + 1) * kinds.count)])
        let size = grid.pages(in: bucket)
        row[Int(PageKind.hole.rawValue)] = size - min(size, row.reduce(0, +))
        let most = row.max() ?? 0
        return kinds[row.firstIndex(of: most) ?? row.count - 1].letter
    }
}
