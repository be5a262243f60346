import ProcModel

/// A value in a table or report. Text and JSON are two spellings of it.
package enum Cell: Equatable, Sendable {
    /// There is no such value: `-`; left out of JSON.
    case absent
    /// The reader may not see it: `?`; null in JSON.
    case hidden
    /// Decimal; a number in JSON.
    case number(UInt64)
    /// Hex, padded with zeros to so many digits. This and all below but `flags` are strings in JSON, spelled as in the text.
    case hex(UInt64, digits: Int = 1)
    case range(AddressRange)
    /// A place in swap, or what a special entry stands for: `TYPE:OFFSET` in decimal.
    case swap(type: UInt64, offset: UInt64)
    case word(String)
    /// Raw bytes from outside, to be escaped; blanks stay.
    case name([UInt8])
    /// Bytes that are escaped already, or never need it.
    case text([UInt8])
    /// Joined by commas, `-` for none; an array in JSON.
    case flags([String])

    /// What the writer is told to write.
    package static func text(_ body: (inout LineWriter) -> Void) -> Cell {
        var line = LineWriter()
        body(&line)
        return .text(line.bytes)
    }

    /// The number; absent where there is none.
    package static func number(ifAny number: UInt64?) -> Cell { number.map(Cell.number) ?? .absent }

    /// A number about frames, as far as the reader may see it.
    package static func of(_ visibility: Visibility, _ number: UInt64) -> Cell {
        switch visibility {
        case .known: .number(number)
        case .hidden: .hidden
        case .missing: .absent
        }
    }

    /// The word; absent where there is none.
    package static func word(ifAny word: String?) -> Cell { word.map(Cell.word) ?? .absent }

    /// The name; absent where it is empty.
    package static func name(ifAny name: [UInt8]) -> Cell { name.isEmpty ? .absent : .name(name) }
}

extension LineWriter {
    /// The value as it stands in texts.
    package mutating func cell(_ cell: Cell) {
        switch cell {
        case .absent: byte("-")
        case .hidden: byte("?")
        case .number(let number): decimal(number)
        case .hex(let number, let digits): hex(number, minimum: digits)
        case .range(let range): self.range(range)
        case .swap(let type, let offset):
            decimal(type)
            byte(":")
            decimal(offset)
        case .word(let word): text(word)
        case .name(let name): escaped(name, keepingBlanks: true)
        case .text(let bytes): raw(bytes)
        case .flags(let names): text(names.isEmpty ? "-" : names.joined(separator: ","))
        }
    }

    /// The value, padded with blanks to its place.
    package mutating func cell(_ cell: Cell, _ place: Position) {
        let start = length
        self.cell(cell)
        pad(place, from: start)
    }
}
