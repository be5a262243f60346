import ProcModel
import ProcSource
import ProcText

extension Content {
    /// How full address space is, as a picture.
    static let fill = memory { opening throws(ProcError) in
        try opening.picture(Fill.init) { fill, walk, offsets throws(ProcError) in
            try opening.reduce(offsets.spans, walk, [], into: fill) { piece, scratch throws(ProcError) in
                try walk.read(piece, [], into: &scratch.batch)
                return scratch.batch.runsOfAddresses(pageSize: walk.context.pageSize)
            } add: { fill, runs in
                for run in runs { offsets.forEachPart(run) { fill.add(first: $0, count: $1) } }
            }
        }
    }
}

extension PageBatch {
    /// Its pages as ranges of neighbours.
    fileprivate func runsOfAddresses(pageSize: UInt64) -> [AddressRange] {
        var runs: [AddressRange] = []
        for index in 0..<count {
            let address = addresses[index]
            if let last = runs.last, last.end == address {
                runs[runs.count - 1] = AddressRange(last.start, address + pageSize)
            } else {
                runs.append(AddressRange(address, address + pageSize))
            }
        }
        return runs
    }
}
