import ProcSource
import ProcText

extension Content {
    /// One line for each mapping.
    static let layout = memory { opening throws(ProcError) in
        let header = try opening.title() + LayoutRow.table.header
        guard let memory = opening.process.memory else { return .frozen(FrozenText(header)) }
        let (tree, process) = (opening.tree, opening.process)
        return try opening.table { () throws(ProcError) in
            try LayoutRows(memory, tree.decoders) { reader throws(ProcError) in try tree.labels(of: process, reader) }
        } isLong: { rows throws(ProcError) in
            tree.mustStream(rows: try rows.count(opening.reader))
        } stream: { rows in
            TextStream(header: header, mostHeld: { LayoutRows.mostHeld }, end: rows.cancel) {
                reader throws(ProcError) in
                try rows.next(reader)
            }
        }
    }
}
