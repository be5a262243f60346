import ProcModel
import ProcSource
import ProcText

extension Content {
    /// One line for each run of neighbouring pages that are alike.
    static let ranges = memory { opening throws(ProcError) in
        try opening.pageTable(PageRange.table.header) { header, walk, plan, borders in
            let context = walk.context
            let pipeline = PagePipeline(plan, walk, .all, opening.tree.decoders, atEnd: opening.atEnd) {
                piece, scratch throws(ProcError) in
                try walk.read(piece, .all, into: &scratch.batch)
                return PageRange.merge(scratch.batch, borders: borders, context)
            }
            let joiner = RangeJoiner(borders: borders)
            return PageTable(header, pipeline) { pipeline, reader throws(ProcError) in
                if let ranges = try pipeline.next(reader) { return joiner.rows(ranges) }
                let text = joiner.lastRow()
                return text.isEmpty ? nil : text
            }
        }
    }
}

/// Joins ranges across the borders of pieces. Used by one reader at a time.
private final class RangeJoiner: @unchecked Sendable {
    // Safety: touched only by the closure of one TextStream, under its lock.
    private var last: PageRange?
    private var writer = RangeRows()
    private let borders: [UInt64]

    init(borders: [UInt64]) { self.borders = borders }

    /// The rows that are complete after these ranges.
    func rows(_ ranges: [PageRange]) -> [UInt8] {
        var text = LineWriter()
        for range in ranges {
            if last != nil, !borders.containsSorted(range.start), last!.merge(range) { continue }
            if let last { writer.append(last, to: &text) }
            last = range
        }
        return text.bytes
    }

    func lastRow() -> [UInt8] {
        var text = LineWriter()
        if let last { writer.append(last, to: &text) }
        last = nil
        return text.bytes
    }
}
