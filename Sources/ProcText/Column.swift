/// Width and alignment of a value in its line, in characters.
package struct Position: Sendable {
    package enum Alignment: Sendable { case left, right }

    package let width: Int
    package let alignment: Alignment
    /// Number of blanks after it; 0 for the last value of a line.
    package let gap: Int

    package init(_ width: Int, _ alignment: Alignment, gap: Int) {
        self.width = width
        self.alignment = alignment
        self.gap = gap
    }
}

/// A column of a table or a key of a report, without the value: its name, unit, meaning and place.
package struct Heading: Sendable {
    package let name: String
    /// `kB`, `ms` or `us`; empty for a plain number or for something that is no number.
    package let unit: String
    package private(set) var meaning: String
    package let place: Position

    /// Name and unit, as in the header of a table and in the keys of JSON.
    package var title: String { unit.isEmpty ? name : name + "_" + unit }

    /// Adds the meaning that it has in another table.
    package mutating func add(meaning other: String) { meaning += "; " + other }
}

/// One column of a table, or one key of a report: its description, and how to get its value from a row.
package struct Column<Row>: Sendable {
    package let heading: Heading
    package let cell: @Sendable (Row) -> Cell

    package init(_ heading: Heading, cell: @escaping @Sendable (Row) -> Cell) {
        self.heading = heading
        self.cell = cell
    }

    /// A column of a table.
    package init(
        _ name: String, _ width: Int, _ alignment: Position.Alignment, gap: Int = 1, unit: String = "",
        _ meaning: String,
        cell: @escaping @Sendable (Row) -> Cell
    ) {
        self.init(
            Heading(name: name, unit: unit, meaning: meaning, place: Position(width, alignment, gap: gap)), cell: cell)
    }

    /// The same column for rows that contain a row of this one.
    package func of<Outer>(_ part: @escaping @Sendable (Outer) -> Row) -> Column<Outer> {
        Column<Outer>(heading) { [cell] in cell(part($0)) }
    }
}

/// A table. Header, rows, JSON and documentation are made from its columns. The number and meaning of columns never change.
package struct Table<Row>: Sendable {
    package let columns: [Column<Row>]

    package init(_ columns: [Column<Row>]) {
        self.columns = columns
    }

    package var headings: [Heading] { columns.map(\.heading) }

    /// The second line of the table, below the title.
    package var header: [UInt8] {
        var line = LineWriter()
        for (index, heading) in headings.enumerated() {
            let (place, mark) = (heading.place, index == 0 ? "# " : "")
            line.text(mark)
            line.cell(.word(heading.title), Position(place.width - mark.count, place.alignment, gap: place.gap))
        }
        line.trimBlanks()
        line.newline()
        return line.bytes
    }

    /// Writes a row as a line, starting with column `first`. Inlinable, so that it is specialised for rows of other targets.
    @inlinable
    package func append(_ row: Row, from first: Int = 0, to text: inout LineWriter) {
        append(row, columns: first..<columns.count, to: &text)
        text.newline()
    }

    /// Writes some columns of the row.
    @inlinable
    package func append(_ row: Row, columns part: Range<Int>, to text: inout LineWriter) {
        for index in part { text.cell(columns[index].cell(row), columns[index].heading.place) }
    }
}
