import ProcSource
import ProcText

extension Content {
    /// How many pages are mapped how often.
    static let mapCounts = memory { opening throws(ProcError) in
        try opening.counts(MapCounts.table.header, [.flags, .mapCounts], MapCounts())
    }
}
