extension LineWriter {
    /// Writes the row as a JSON object. Its keys are the names and units of the columns, in their order. Absent values are
    /// left out. Hidden values are null, and their keys are listed in the array `hidden`.
    package mutating func object<Row>(_ row: Row, _ columns: [Column<Row>]) {
        var hidden: [String] = []
        var separator = ""
        byte("{")
        for column in columns {
            let cell = column.cell(row)
            guard cell != .absent else { continue }
            if cell == .hidden { hidden.append(column.heading.title) }
            text(separator)
            string(column.heading.title.utf8)
            byte(":")
            json(cell)
            separator = ","
        }
        if !hidden.isEmpty {
            text(",\"hidden\":")
            array(hidden)
        }
        byte("}")
    }

    private mutating func json(_ cell: Cell) {
        switch cell {
        case .absent, .hidden: text("null")
        case .number(let number): decimal(number)
        case .flags(let names): array(names)
        case .hex, .range, .swap, .word, .name, .text:
            var spelling = LineWriter()
            spelling.cell(cell)
            string(spelling.bytes)
        }
    }

    private mutating func array(_ words: [String]) {
        byte("[")
        for (index, word) in words.enumerated() {
            if index > 0 { byte(",") }
            string(word.utf8)
        }
        byte("]")
    }

    /// - Parameter text: UTF-8.
    private mutating func string(_ text: some Sequence<UInt8>) {
        byte("\"")
        for character in text {
            switch character {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): raw([UInt8(ascii: "\\"), character])
            case 0..<0x20:
                self.text("\\u")
                hex(UInt64(character), minimum: 4)
            default: raw(CollectionOfOne(character))
            }
        }
        byte("\"")
    }
}
