import ProcModel
import ProcSource
import ProcText

/// A table of pages that is being made.
struct PageTable {
    let text: TextStream
    /// Counts the pages it has, until this many are found.
    let find: (UInt64, Reader) throws(ProcError) -> UInt64

    /// - Parameter next: makes the next rows from the results of the pipeline; nil at the end.
    init<Part: Sendable>(
        _ header: [UInt8], _ pipeline: PagePipeline<Part>,
        next: @escaping @Sendable (PagePipeline<Part>, Reader) throws(ProcError) -> [UInt8]?
    ) {
        text = TextStream(header: header, mostHeld: pipeline.mostHeld, end: pipeline.cancel) {
            reader throws(ProcError) in try next(pipeline, reader)
        }
        find = pipeline.find
    }

    /// A table without rows.
    fileprivate init(header: [UInt8]) {
        text = TextStream(header: header) { _ in nil }
        find = { _, _ in 0 }
    }
}

extension Opening {
    /// A table of pages: frozen if short, else made as it is read.
    ///
    /// - Parameter make: makes the table that begins with this header.
    func pageTable(
        _ columns: [UInt8], make: (_ header: [UInt8], PageWalk, PagePlan, _ borders: [UInt64]) -> PageTable
    ) throws(ProcError) -> OpenFile {
        let header = try title() + columns
        let pages = try pages()
        let walk = try walk()
        return try table {
            guard let walk else { return PageTable(header: header) }
            return make(header, walk, PagePlan(walk.pageMap, spans: pages.walkable), pages.borders)
        } isLong: { table throws(ProcError) in
            tree.mustStream(rows: Int(try table.find(UInt64(Tree.mostFrozenRows + 1), reader)))
        } stream: { table throws(ProcError) in
            // How much the text may hold depends on whether the table fills a piece.
            _ = try table.find(PagePlan.pagesPerPiece, reader)
            return table.text
        }
    }

    /// A table of counts over all pages.
    ///
    /// - Parameter wanted: the words of frames that the counts need.
    func counts<Counts: PageCounts>(
        _ columns: [UInt8], _ wanted: PageWalk.Wanted, _ none: Counts
    ) throws(ProcError) -> OpenFile {
        let walk = try walk()
        return try shared { () throws(ProcError) in
            let header = try title() + columns
            guard let walk else { return header }
            let counts = try reduce(try pages().walkable, walk, wanted, into: none) {
                piece, scratch throws(ProcError) in
                var counts = none
                try walk.read(piece, wanted, into: &scratch.batch)
                counts.add(scratch.batch)
                return counts
            } add: {
                $0.add($1)
            }
            return header + counts.text(walk.context)
        }
    }

    /// Decodes all pages of some ranges and adds up the results.
    ///
    /// - Parameter wanted: the words of frames that `decode` needs.
    func reduce<Part: Sendable, Result>(
        _ ranges: [AddressRange], _ walk: PageWalk, _ wanted: PageWalk.Wanted, into result: Result,
        decode: @escaping @Sendable (PagePiece, inout DecodeScratch) throws(ProcError) -> Part,
        add: (inout Result, Part) -> Void
    ) throws(ProcError) -> Result {
        let plan = PagePlan(walk.pageMap, spans: ranges)
        let pipeline = PagePipeline(plan, walk, wanted, tree.decoders, atEnd: atEnd, decode: decode)
        return try pipeline.reduce(into: result, reader, add)
    }
}
