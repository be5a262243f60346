import ProcModel

/// Adjacent pages of one mapping with equal facts and consecutive frames: a row of `ranges`.
package struct PageRange: Sendable {
    package let start: UInt64
    package private(set) var end: UInt64
    package private(set) var pages: UInt64 = 1
    /// The facts of the first page.
    package let facts: PageFacts

    package init(_ page: PageRecord, _ context: FrameContext) {
        start = page.address
        end = page.address + context.pageSize
        facts = PageFacts(page, context)
    }

    /// Appends `next` if it continues this range; returns whether it does.
    package mutating func merge(_ next: PageRange) -> Bool {
        guard end == next.start, facts.isFollowed(by: next.facts, after: pages) else { return false }
        end = next.end
        pages += next.pages
        return true
    }

    /// The pages of a batch, merged into as few ranges as possible.
    ///
    /// - Parameter borders: start addresses of mappings, ascending; no range crosses them.
    package static func merge(_ batch: PageBatch, borders: [UInt64], _ context: FrameContext) -> [PageRange] {
        guard batch.count > 0 else { return [] }
        var ranges: [PageRange] = []
        var current = PageRange(batch[0], context)
        for index in 1..<batch.count {
            let next = PageRange(batch[index], context)
            if borders.containsSorted(next.start) || !current.merge(next) {
                ranges.append(current)
                current = next
            }
        }
        ranges.append(current)
        return ranges
    }
}

extension PageRange {
    package static let table = Table<PageRange>(
        [
            Column("start", 12, .left, "start address, hex") { .hex($0.start) },
            Column("end", 12, .left, "end address, hex, not included") { .hex($0.end) },
            Column("pages", 8, .right, "number of pages") { .number($0.pages) },
        ] + PageFacts.columns.map { $0.of { $0.facts } })
}

/// Writes the rows of `ranges`. What stands right of the frame is mostly that of the row before, and is copied from it.
package struct RangeRows: Sendable {
    private var last: PageFacts?
    private var tail: [UInt8] = []

    /// Columns up to the frame.
    private static let head = 5

    package init() {}

    package mutating func append(_ range: PageRange, to text: inout LineWriter) {
        PageRange.table.append(range, columns: 0..<Self.head, to: &text)
        if last.map({ !$0.hasSameTail(as: range.facts) }) ?? true {
            var line = LineWriter()
            PageRange.table.append(range, from: Self.head, to: &line)
            (last, tail) = (range.facts, line.bytes)
        }
        text.raw(tail)
    }
}

extension PageFacts {
    /// Whether all but the frame is equal.
    fileprivate func hasSameTail(as next: PageFacts) -> Bool {
        state == next.state && flags == next.flags && mapCount == next.mapCount && cgroup == next.cgroup
            && node == next.node && (entry.rawValue ^ next.entry.rawValue) & PageMapEntry.flagMask == 0
    }

    /// Whether the page that is `pages` pages further on has equal facts, and a frame that is `pages` frames further on.
    fileprivate func isFollowed(by next: PageFacts, after pages: UInt64) -> Bool {
        guard hasSameTail(as: next) else { return false }
        return switch state {
        case .absent, .zero, .guard, .marker: true
        case _ where view.frame == .hidden: true
        case .present: entry.frame &+ pages == next.entry.frame
        case .swapped, .special:
            entry.swapType == next.entry.swapType && entry.swapOffset &+ pages == next.entry.swapOffset
        }
    }
}

extension [UInt64] {
    /// Whether an ascending array contains the value.
    package func containsSorted(_ value: UInt64) -> Bool {
        let index = firstIndex(notBelow: value)
        return index < count && self[index] == value
    }

    /// Index of the first element of an ascending array that is not below the value.
    package func firstIndex(notBelow value: UInt64) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < value { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
