import ProcModel

/// A value in a table or report. It can be written as text or as JSON.
package enum Cell: Equatable, Sendable {
    /// There is no such value: `-` in text, left out in JSON.
    case absent
    /// The reader may not see it: `?` in text, null in JSON.
    case hidden
    /// Decimal in text, a number in JSON.
    case number(UInt64)
    /// Hex, padded with zeros to `digits`. In JSON this and all cases below except `flags` are strings, the same as in text.
    case hex(UInt64, digits: Int = 1)
    case range(AddressRange)
    /// A place in swap, or what a special entry stands for: `TYPE:OFFSET` in decimal.
    case swap(type: UInt64, offset: UInt64)
    case word(String)
    /// Raw bytes from outside. They are escaped when written, except blanks.
    case name([UInt8])
    /// Bytes that are already escaped, or that need no escaping.
    case text([UInt8])
    /// Names joined by commas, or `-`, in text; an array in JSON.
    case flags([String])

    /// The text that `body` writes.
    package static func text(_ body: (inout LineWriter) -> Void) -> Cell {
        var line = LineWriter()
        body(&line)
        return .text(line.bytes)
    }

    /// The number; absent if it is nil.
    package static func number(ifAny number: UInt64?) -> Cell { number.map(Cell.number) ?? .absent }

    /// A number about a frame, if the reader may see it.
    package static func of(_ visibility: Visibility, _ number: UInt64) -> Cell {
        switch visibility {
        case .known: .number(number)
        case .hidden: .hidden
        case .missing: .absent
        }
    }

    /// The word; absent if it is nil.
    package static func word(ifAny word: String?) -> Cell { word.map(Cell.word) ?? .absent }

    /// The name; absent if it is empty.
    package static func name(ifAny name: [UInt8]) -> Cell { name.isEmpty ? .absent : .name(name) }
}

extension LineWriter {
    /// Writes the value as text.
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

    /// Writes the value as text, padded with blanks to the width of its place.
    package mutating func cell(_ cell: Cell, _ place: Position) {
        let start = length
        self.cell(cell)
        pad(place, from: start)
    }
}
