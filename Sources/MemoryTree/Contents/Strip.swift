import ProcModel
import ProcSource
import ProcText

extension Content {
    /// A picture of what the pages are.
    static let strip = memory { opening throws(ProcError) in
        try opening.picture(Strip.init) { strip, walk, offsets throws(ProcError) in
            let context = walk.context
            return try opening.reduce(offsets.spans, walk, .flags, into: strip) { piece, scratch throws(ProcError) in
                try walk.read(piece, .flags, into: &scratch.batch)
                return KindRun.runs(scratch.batch, piece.extents, context)
            } add: { strip, runs in
                for run in runs {
                    offsets.forEachPart(AddressRange(run.start, run.end)) { first, count in
                        strip.add(run.kind, first: first, count: count)
                    }
                }
            }
        }
    }
}

/// Neighbouring pages of one kind.
struct KindRun: Sendable {
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
