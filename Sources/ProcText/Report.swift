/// A report: each line is a key and its value. The keys are columns, as of a table with a single row.
package struct Report<Subject>: Sendable {
    package let keys: [Column<Subject>]
    /// Bytes from the start of a line to its value; nil for one blank between key and value.
    private let indent: Int?

    /// The indent of values in smaps.
    package static var smapsIndent: Int { 16 }

    package init(_ keys: [Column<Subject>], indent: Int? = Self.smapsIndent) {
        self.keys = keys
        self.indent = indent
    }

    package var headings: [Heading] { keys.map(\.heading) }

    /// Writes all lines.
    ///
    /// - Parameter suffix: is added to each key, for a report that is repeated for several subjects.
    package func append(_ subject: Subject, suffix: String = "", to text: inout LineWriter) {
        for key in keys {
            let start = text.length
            text.text(key.heading.name)
            text.text(suffix)
            text.text(":")
            text.pad(Position(indent ?? 0, .left, gap: indent == nil ? 1 : 0), from: start)
            let cell = key.cell(subject)
            text.cell(cell, key.heading.place)
            if case .number = cell, !key.heading.unit.isEmpty {
                text.text(" ")
                text.text(key.heading.unit)
            }
            text.newline()
        }
    }
}

extension Column {
    /// A key whose value is left-aligned.
    package static func key(_ name: String, _ meaning: String, cell: @escaping @Sendable (Row) -> Cell) -> Column {
        Column(name, 0, .left, gap: 0, meaning, cell: cell)
    }

    /// A key whose value is right-aligned, as in smaps.
    package static func count(
        _ name: String, unit: String = "", _ meaning: String, cell: @escaping @Sendable (Row) -> Cell
    ) -> Column {
        Column(name, 8, .right, gap: 0, unit: unit, meaning, cell: cell)
    }

    /// A key whose value is a size in kB.
    package static func size(
        _ name: String, _ meaning: String, kilobytes: @escaping @Sendable (Row) -> UInt64
    ) -> Column {
        count(name, unit: "kB", meaning) { .number(kilobytes($0)) }
    }
}
