import ProcModel
import ProcSource
import ProcText

extension Content {
    /// A picture of how many of the pages have an entry. PAGEMAP_SCAN tells which have one; without it, entries are
    /// read.
    static let fill = memory { opening throws(ProcError) in
        try opening.picture(Fill.init) { fill, walk, offsets throws(ProcError) in
            let context = walk.context
            return try opening.reduce(offsets.spans, walk, [], into: fill) { piece, scratch throws(ProcError) in
                if walk.pageMap.usesScan { return piece.extents.map { AddressRange($0.start, $0.end) } }
                try walk.read(piece, [], into: &scratch.batch)
                return KindRun.runs(scratch.batch, piece.extents, context).map { AddressRange($0.start, $0.end) }
            } add: { fill, runs in
                for run in runs { offsets.forEachPart(run) { fill.add(first: $0, count: $1) } }
            }
        }
    }
}
