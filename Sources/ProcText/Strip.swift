import ProcModel

/// What one character of `strip` stands for, in the order in which the first that applies is taken.
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
        case .hole: "no entry"
        }
    }

    /// - Parameter huge: what the scan says of the page, for readers from whom flags are hidden.
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

/// A picture of pages laid end to end: 64 columns, at most 64 rows, each character the commonest kind of its bucket.
package struct Strip: Sendable {
    package static let columns: UInt64 = 64
    package static let mostBuckets: UInt64 = 4096

    /// Pages in all.
    package let pages: UInt64
    /// Pages a bucket holds; the last may hold fewer.
    package let pagesPerBucket: UInt64
    private var counts: [UInt64]

    package init(pages: UInt64) {
        self.pages = pages
        pagesPerBucket = max(1, (pages + Self.mostBuckets - 1) / Self.mostBuckets)
        let buckets = (pages + pagesPerBucket - 1) / pagesPerBucket
        counts = Array(repeating: 0, count: Int(buckets) * PageKind.allCases.count)
    }

    /// Counts `count` pages of one kind from page number `first` on.
    package mutating func add(_ kind: PageKind, first: UInt64, count: UInt64) {
        var page = first
        let end = min(first + count, pages)
        while page < end {
            let bucket = page / pagesPerBucket
            let next = min(end, (bucket + 1) * pagesPerBucket)
            counts[Int(bucket) * PageKind.allCases.count + Int(kind.rawValue)] += next - page
            page = next
        }
    }

    /// The rows; pages that were never counted are holes.
    package var text: [UInt8] {
        var text = LineWriter(capacity: 66 * 64)
        let kinds = PageKind.allCases
        let buckets = counts.count / kinds.count
        for bucket in 0..<buckets {
            var row = Array(counts[(bucket * kinds.count)..<((bucket + 1) * kinds.count)])
            let size = min(pagesPerBucket, pages - UInt64(bucket) * pagesPerBucket)
            row[Int(PageKind.hole.rawValue)] = size - min(size, row.reduce(0, +))
            let most = row.max() ?? 0
            text.byte(kinds[row.firstIndex(of: most) ?? row.count - 1].letter)
            if (bucket + 1) % Int(Self.columns) == 0 || bucket + 1 == buckets { text.newline() }
        }
        return text.bytes
    }
}
