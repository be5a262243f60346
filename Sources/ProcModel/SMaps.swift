/// The lines below one header line of smaps or smaps_rollup.
///
/// Source: fs/proc/task_mmu.c, __show_smap(); Documentation/filesystems/proc.rst.
package struct SMaps: Equatable, Sendable {
    /// Key and value as printed, in the kernel's order; sizes are in kB.
    package private(set) var fields: [Field] = []

    /// One `Key: value` line.
    package struct Field: Equatable, Sendable {
        package let key: String
        /// The text after the colon, without padding: `12 kB`, `0`, or the flags.
        package let value: String

        /// The number at the start of the value, in kB for sizes; 0 if there is none.
        package var number: UInt64 {
            var number: UInt64 = 0
            for digit in value.utf8 {
                guard digit >= 0x30, digit <= 0x39 else { break }
                number = number &* 10 &+ UInt64(digit - 0x30)
            }
            return number
        }
    }

    package init(fields: [Field] = []) { self.fields = fields }

    package subscript(key: String) -> Field? { fields.first { $0.key == key } }

    /// The value in kB; 0 if the kernel does not print the key.
    package func kilobytes(_ key: String) -> UInt64 { self[key]?.number ?? 0 }

    /// Unique set size in kB: what would be freed if the process ended.
    package var uss: UInt64 {
        kilobytes("Private_Clean") &+ kilobytes("Private_Dirty") &+ kilobytes("Private_Hugetlb")
    }

    /// Reads `Key: value` lines up to the first other line, or to the limit of the cursor.
    package init(lines cursor: inout ByteCursor) throws(DecodeError) {
        while !cursor.isAtEnd {
            let end = cursor.endOfLine
            guard let colon = cursor.bytes[cursor.position..<end].firstIndex(of: UInt8(ascii: ":")),
                let first = cursor.peek, first >= 0x41, first <= 0x5a
            else { return }
            var value = ByteCursor(cursor.bytes, from: colon + 1, to: end)
            value.skipBlanks()
            var last = end
            while last > value.position, cursor.bytes[last - 1] == 0x20 { last -= 1 }
            fields.append(
                Field(
                    key: String(decoding: cursor.bytes[cursor.position..<colon], as: UTF8.self),
                    value: String(decoding: cursor.bytes[value.position..<last], as: UTF8.self)))
            cursor.position = min(end + 1, cursor.limit)
        }
    }
}

/// The bytes of each mapping in a text of /proc/PID/smaps: its header line and the lines below it.
///
/// A header line begins with a lower-case hex digit, every other line with a capital letter.
package func smapsBlocks(_ text: [UInt8]) -> [Range<Int>] {
    var starts: [Int] = []
    var lineStart = 0
    while lineStart < text.count {
        if isSMapsHeader(text[lineStart]) { starts.append(lineStart) }
        lineStart = endOfSMapsLine(text, from: lineStart, to: text.count) + 1
    }
    return starts.indices.map { starts[$0]..<($0 + 1 < starts.count ? starts[$0 + 1] : text.count) }
}

/// Byte offset of the last header line in a text of smaps; nil if there is none.
package func lastSMapsBlock(_ text: [UInt8]) -> Int? {
    var end = text.count
    while let newline = text[..<end].lastIndex(of: 0x0a) {
        if newline + 1 < text.count, isSMapsHeader(text[newline + 1]) { return newline + 1 }
        end = newline
    }
    return text.first.map(isSMapsHeader) == true ? 0 : nil
}

/// Index of the newline that ends the line, or the limit. Nearly all lines consist of `Key:`, blanks, digits and ` kB`,
/// 27 bytes in all, so this index is tried first. No line is short enough for the end of the next line to be there.
@inline(__always)
private func endOfSMapsLine(_ text: [UInt8], from start: Int, to limit: Int) -> Int {
    let end = start + 27
    if end < limit, text[end] == 0x0a, text[end - 1] == UInt8(ascii: "B"), text[end - 2] == UInt8(ascii: "k"),
        text[end - 3] == 0x20
    {
        return end
    }
    var index = start
    while index < limit, text[index] != 0x0a { index += 1 }
    return index
}

private func isSMapsHeader(_ firstByte: UInt8) -> Bool { firstByte >= 0x61 || firstByte <= 0x39 }

/// The four sizes of a mapping that `layout` shows, in kB.
package struct ResidentSizes: Equatable, Sendable {
    package var rss: UInt64 = 0
    package var pss: UInt64 = 0
    package var uss: UInt64 = 0
    package var swap: UInt64 = 0

    package init() {}

    /// Reads the four sizes from one block of smaps. Of all other lines it reads only the first bytes.
    package init(block: Range<Int>, of text: [UInt8]) {
        var cursor = ByteCursor(text, from: block.lowerBound, to: block.upperBound)
        while !cursor.isAtEnd {
            let end = endOfSMapsLine(text, from: cursor.position, to: cursor.limit)
            let first = text[cursor.position]
            for (index, key) in Self.keys.enumerated()
            where key[0] == first && text[cursor.position..<end].starts(with: key) {
                var value = ByteCursor(text, from: cursor.position + key.count, to: end)
                value.skipBlanks()
                let kilobytes = value.decimal() ?? 0
                switch index {
                case 0: rss = kilobytes
                case 1: pss = kilobytes
                case 2: swap = kilobytes
                default: uss &+= kilobytes
                }
            }
            cursor.position = end + 1
        }
    }

    private static let keys = ["Rss:", "Pss:", "Swap:", "Private_Clean:", "Private_Dirty:", "Private_Hugetlb:"]
        .map { Array($0.utf8) }
}
