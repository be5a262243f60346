/// Reads numbers and words from bytes, from front to back. Malformed input never traps.
package struct ByteCursor {
    package let bytes: [UInt8]
    package var position: Int
    /// The cursor never reads at or past this index.
    package let limit: Int

    package init(_ bytes: [UInt8], from position: Int = 0, to limit: Int? = nil) {
        self.bytes = bytes
        self.limit = min(limit ?? bytes.count, bytes.count)
        self.position = min(max(position, 0), self.limit)
    }

    package var isAtEnd: Bool { position >= limit }

    package var peek: UInt8? { position < limit ? bytes[position] : nil }

    package mutating func skip(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        position += 1
        return true
    }

    package mutating func skipBlanks() {
        while position < limit, bytes[position] == 0x20 || bytes[position] == 0x09 { position += 1 }
    }

    /// Reads hex digits of either case; nil if there is none or the value needs more than 64 bits.
    package mutating func hex() -> UInt64? {
        var value: UInt64 = 0
        let start = position
        while position < limit, let digit = hexDigit(bytes[position]) {
            guard value >> 60 == 0 else { return nil }
            value = value << 4 | UInt64(digit)
            position += 1
        }
        return position > start ? value : nil
    }

    /// Reads lower-case hex digits without a leading zero (a single `0` is allowed); nil for anything else.
    package mutating func canonicalHex() -> UInt64? {
        let start = position
        guard let value = hex() else { return nil }
        let digits = bytes[start..<position]
        guard digits.first != UInt8(ascii: "0") || digits.count == 1,
            !digits.contains(where: { $0 >= UInt8(ascii: "A") && $0 <= UInt8(ascii: "F") })
        else { return nil }
        return value
    }

    package mutating func decimal() -> UInt64? {
        var value: UInt64 = 0
        let start = position
        while position < limit, bytes[position] >= 0x30, bytes[position] <= 0x39 {
            let (product, tooLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, carried) = product.addingReportingOverflow(UInt64(bytes[position] - 0x30))
            guard !tooLarge, !carried else { return nil }
            value = sum
            position += 1
        }
        return position > start ? value : nil
    }

    /// The bytes up to the next blank or the limit.
    package mutating func word() -> ArraySlice<UInt8> {
        let start = position
        while position < limit, bytes[position] != 0x20, bytes[position] != 0x09 { position += 1 }
        return bytes[start..<position]
    }

    /// Index of the next newline at or after the position, or the limit.
    package var endOfLine: Int {
        var index = position
        while index < limit, bytes[index] != 0x0a { index += 1 }
        return index
    }
}

package func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x61...0x66: byte - 0x61 + 10
    case 0x41...0x46: byte - 0x41 + 10
    default: nil
    }
}
