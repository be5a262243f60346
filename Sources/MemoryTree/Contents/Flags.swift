import ProcSource
import ProcText

extension Content {
    /// How many pages carry which flags.
    static let flags = memory { opening throws(ProcError) in
        try opening.counts(FlagCounts.table.header, .flags, FlagCounts())
    }
}
