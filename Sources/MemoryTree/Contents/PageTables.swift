import ProcModel
import ProcSource
import ProcText
import Syscalls

extension Tree {
    /// The pages that a table is about, as spans of address space.
    private func spans(_ node: Node, _ opened: OpenedProcess, _ reader: Reader) throws(ProcError) -> (
        spans: [AddressRange], borders: [UInt64]
    ) {
        if node.entry.specification.parent == .vma {
            let range = node.range!
            return (range.start >> 63 == 0 ? [range] : [], [])
        }
        let spans = try mappings(of: opened, reader).spans(in: node.range)
        return (spans, spans.map(\.start))
    }

    /// `pages` and `ranges`: frozen if short, else made as it is read.
    func openPageTable(_ node: Node, _ opened: OpenedProcess, _ reader: Reader) throws(ProcError) -> OpenFile {
        let title = try title(node, opened, reader)
        let (spans, borders) = try spans(node, opened, reader)
        let walk = try walk(opened)
        func table() -> PageTable {
            let isPages = [.processPages, .pagesOfRange, .vmaPages].contains(node.entry)
            let header = title + Table.header(isPages ? Table.pages : Table.ranges)
            guard let walk else { return PageTable(text: TextStream(header: header) { _ in nil }) { _, _ in 0 } }
            let plan = PagePlan(walk.pageMap, spans: spans)
            let atEnd = atEnd(node, opened)
            return isPages ? pages(header, walk, plan, atEnd) : ranges(header, walk, plan, borders, atEnd)
        }
        // Of the one who finds out how long it is; those who waited for it start their own.
        var long: PageTable?
        let text: [UInt8]? = try cache.value(.answer(node), for: reader, bytes: { ($0?.count ?? 0) + 64 }) {
            () throws(ProcError) in
            let table = table()
            if mustStream(rows: Int(try table.find(UInt64(Self.mostFrozenRows + 1), reader))) {
                long = table
                return nil
            }
            return try table.text.readAll(reader)
        }
        if let text { return .frozen(FrozenText(text)) }
        let stream = long ?? table()
        // What it may hold depends on whether it has as much as a piece.
        _ = try stream.find(PagePlan.pagesPerPiece, reader)
        return .stream(stream.text)
    }

    /// A table under way: its text, and how many pages it has, counted up to a number.
    private struct PageTable {
        let text: TextStream
        let find: (UInt64, Reader) throws(ProcError) -> UInt64
    }

    /// What makes sure that all pages there were have been looked at: those of a mapping that is no more come to an end too,
    /// and those of a program that another one has replaced between two opens.
    func atEnd(_ node: Node, _ opened: OpenedProcess) -> @Sendable (Reader) throws(ProcError) -> Void {
        let range = node.entry.specification.parent == .vma ? node.range : nil
        return { [self] reader throws(ProcError) in
            if let range { try requireMapped(range, opened, reader) } else { try opened.memory?.requireAlive() }
        }
    }

    private func pages(
        _ header: [UInt8], _ walk: PageWalk, _ plan: PagePlan,
        _ atEnd: @escaping @Sendable (Reader) throws(ProcError) -> Void
    ) -> PageTable {
        let context = walk.context
        let pipeline = PagePipeline(plan, walk, .all, decoders, atEnd: atEnd) { piece, scratch throws(ProcError) in
            try walk.read(piece, .all, into: &scratch.batch)
            return scratch.text(context)
        }
        let text = TextStream(header: header, mostHeld: pipeline.mostHeld, end: pipeline.cancel) {
            reader throws(ProcError) in
            try pipeline.next(reader)
        }
        return PageTable(text: text, find: pipeline.find)
    }

    private func ranges(
        _ header: [UInt8], _ walk: PageWalk, _ plan: PagePlan, _ borders: [UInt64],
        _ atEnd: @escaping @Sendable (Reader) throws(ProcError) -> Void
    ) -> PageTable {
        let context = walk.context
        let pipeline = PagePipeline(plan, walk, .all, decoders, atEnd: atEnd) { piece, scratch throws(ProcError) in
            try walk.read(piece, .all, into: &scratch.batch)
            return PageRange.merge(scratch.batch, borders: borders, context)
        }
        let joiner = RangeJoiner(borders: borders, context)
        let text = TextStream(header: header, mostHeld: pipeline.mostHeld, end: pipeline.cancel) {
            reader throws(ProcError) in
            if let ranges = try pipeline.next(reader) { return joiner.rows(ranges) }
            let text = joiner.lastRow()
            return text.isEmpty ? nil : text
        }
        return PageTable(text: text, find: pipeline.find)
    }

    /// `flags`.
    func flagsText(
        _ node: Node, _ opened: OpenedProcess, _ walk: PageWalk?, _ reader: Reader
    ) throws(ProcError) -> [UInt8] {
        var text = try title(node, opened, reader) + Table.header(Table.flags)
        guard let walk else { return text }
        let plan = PagePlan(walk.pageMap, spans: try spans(node, opened, reader).spans)
        let pipeline = PagePipeline(plan, walk, .flags, decoders, atEnd: atEnd(node, opened)) {
            piece, scratch throws(ProcError) in
            var counts = FlagCounts()
            try walk.read(piece, .flags, into: &scratch.batch)
            counts.add(scratch.batch)
            return counts
        }
        text += try pipeline.reduce(into: FlagCounts(), reader) { $0.add($1) }.text(walk.context)
        return text
    }

    /// `strip`.
    func stripText(
        _ node: Node, _ opened: OpenedProcess, _ walk: PageWalk?, _ reader: Reader
    ) throws(ProcError) -> [UInt8] {
        let title = try title(node, opened, reader)
        let pageSize = System.pageSize
        // A mapping at a kernel address has no page tables, so it is not in `spans`: its pages are all holes.
        let ranges = try node.entry == .vmaStrip ? [node.range!] : mappings(of: opened, reader).list.map(\.range)
        let spans = ranges.filter { $0.start >> 63 == 0 }
        let pages = ranges.reduce(0) { $0 + $1.size / pageSize }
        var strip = Strip(pages: pages)
        if let walk {
            let context = walk.context
            let plan = PagePlan(walk.pageMap, spans: spans)
            let pipeline = PagePipeline(plan, walk, .flags, decoders, atEnd: atEnd(node, opened)) {
                piece, scratch throws(ProcError) in
                try walk.read(piece, .flags, into: &scratch.batch)
                return KindRun.runs(scratch.batch, piece.extents, context)
            }
            let offsets = PageOffsets(spans, pageSize: pageSize)
            strip = try pipeline.reduce(into: strip, reader) { strip, runs in
                for run in runs {
                    offsets.forEachPart(run.start, run.end) { first, count in
                        strip.add(run.kind, first: first, count: count)
                    }
                }
            }
        }
        var header = LineWriter()
        let bucket = strip.pagesPerBucket == 1 ? "1 page" : "\(strip.pagesPerBucket) pages"
        header.text("# upper left is the lowest address, a character is \(bucket): ")
        header.text(PageKind.allCases.map { "\($0.letter) \($0.shortMeaning)" }.joined(separator: ", "))
        header.newline()
        return title + header.bytes + strip.text
    }
}

/// Joins ranges across the borders of pieces. Used by one reader at a time.
private final class RangeJoiner: @unchecked Sendable {
    // Safety: touched only by the closure of one TextStream, under its lock.
    private var last: PageRange?
    private let borders: [UInt64]
    private let context: FrameContext

    init(borders: [UInt64], _ context: FrameContext) {
        self.borders = borders
        self.context = context
    }

    /// The rows that are complete once these ranges have come.
    func rows(_ ranges: [PageRange]) -> [UInt8] {
        var text = LineWriter()
        for range in ranges {
            if last != nil, !borders.containsSorted(range.start), last!.merge(range, context) { continue }
            if let last { text.pageRange(last, context) }
            last = range
        }
        return text.bytes
    }

    func lastRow() -> [UInt8] {
        var text = LineWriter()
        if let last { text.pageRange(last, context) }
        last = nil
        return text.bytes
    }
}

/// Neighbouring pages of one kind.
private struct KindRun: Sendable {
    let kind: PageKind
    let start: UInt64
    var end: UInt64

    static func runs(_ batch: PageBatch, _ extents: [Extent], _ context: FrameContext) -> [KindRun] {
        var runs: [KindRun] = []
        var extent = 0
        for index in 0..<batch.count {
            let page = batch[index]
            while extents[extent].end <= page.address { extent += 1 }
            let kind = PageKind(page, huge: extents[extent].isHuge, context)
            if let last = runs.last, last.kind == kind, last.end == page.address {
                runs[runs.count - 1].end += context.pageSize
            } else {
                runs.append(KindRun(kind: kind, start: page.address, end: page.address + context.pageSize))
            }
        }
        return runs
    }
}

/// Numbers the pages of spans laid end to end.
private struct PageOffsets: Sendable {
    private let spans: [AddressRange]
    private let firsts: [UInt64]
    private let ends: [UInt64]
    private let pageSize: UInt64

    init(_ spans: [AddressRange], pageSize: UInt64) {
        self.spans = spans
        self.pageSize = pageSize
        var firsts: [UInt64] = []
        var next: UInt64 = 0
        for span in spans {
            firsts.append(next)
            next += span.size / pageSize
        }
        self.firsts = firsts
        ends = spans.map(\.end)
    }

    /// Calls `body` with the number of the first page and the count for each part of the range in one span.
    func forEachPart(_ start: UInt64, _ end: UInt64, _ body: (UInt64, UInt64) -> Void) {
        var index = ends.firstIndex(notBelow: start + 1)
        while index < spans.count, spans[index].start < end {
            if let part = spans[index].intersection(AddressRange(start, end)) {
                body(firsts[index] + (part.start - spans[index].start) / pageSize, part.size / pageSize)
            }
            index += 1
        }
    }
}
