import ProcSource
import ProcText

extension Content {
    /// One line per page that has an entry.
    static let pages = memory { opening throws(ProcError) in
        try opening.pageTable(PageRow.table.header) { header, walk, plan, _ in
            let context = walk.context
            let pipeline = PagePipeline(plan, walk, .all, opening.tree.decoders, atEnd: opening.atEnd) {
                piece, scratch throws(ProcError) in
                try walk.read(piece, .all, into: &scratch.batch)
                return scratch.text(context)
            }
            return PageTable(header, pipeline) { pipeline, reader throws(ProcError) in try pipeline.next(reader) }
        }
    }
}
