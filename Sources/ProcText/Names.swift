/// Appends a name. Bytes below 0x21, 0x7f, `\` and bytes that are not UTF-8 are written as `\xNN`.
///
/// - Parameter keep: returns true for bytes that are written as they are all the same.
package func appendEscaped(
    _ name: some Collection<UInt8>, to bytes: inout [UInt8], keeping keep: (UInt8) -> Bool
) {
    // Fast path: nearly all names need no escape.
    if name.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != 0x5c }) { return bytes.append(contentsOf: name) }
    var index = name.startIndex
    while index != name.endIndex {
        let length = utf8Length(name[index...])
        if length == 1, (name[index] > 0x20 && name[index] != 0x7f && name[index] != 0x5c) || keep(name[index]) {
            bytes.append(name[index])
        } else if length > 1 {
            bytes.append(contentsOf: name[index...].prefix(length))
        } else {
            appendEscape(name[index], to: &bytes)
        }
        index = name.index(index, offsetBy: max(length, 1))
    }
}

/// The name of an entry in `by-name` or `by-label`: escaped, including `/`, and never `.`, `..` or empty.
/// Nil if it would be too long for a file name.
package func entryName(_ name: some Collection<UInt8>) -> [UInt8]? {
    var escaped: [UInt8] = []
    if name.isEmpty {
        appendEscape(0, to: &escaped)
    } else if name.elementsEqual(".".utf8) || name.elementsEqual("..".utf8) {
        for byte in name { appendEscape(byte, to: &escaped) }
    } else if !name.contains(0x2f) {
        appendEscaped(name, to: &escaped) { _ in false }
    } else {
        for (index, part) in name.split(separator: 0x2f, omittingEmptySubsequences: false).enumerated() {
            if index > 0 { appendEscape(0x2f, to: &escaped) }
            appendEscaped(part, to: &escaped) { _ in false }
        }
    }
    return escaped.count <= maximumNameLength ? escaped : nil
}

/// Most bytes of a file name, as statfs reports it.
package let maximumNameLength = 255

private func appendEscape(_ byte: UInt8, to bytes: inout [UInt8]) {
    bytes.append(contentsOf: "\\x".utf8)
    for digit in [byte >> 4, byte & 15] { bytes.append(digit < 10 ? 0x30 + digit : 0x57 + digit) }
}

/// Number of bytes of the first character; 0 if it is not well-formed UTF-8.
private func utf8Length(_ text: some Collection<UInt8>) -> Int {
    guard let first = text.first else { return 0 }
    let length: Int
    switch first {
    case 0..<0x80: return 1
    case 0xc2...0xdf: length = 2
    case 0xe0...0xef: length = 3
    case 0xf0...0xf4: length = 4
    default: return 0
    }
    let sequence = Array(text.prefix(length))
    guard sequence.count == length, sequence.dropFirst().allSatisfy({ $0 & 0xc0 == 0x80 }) else { return 0 }
    switch (first, sequence[1]) {
    case (0xe0, ..<0xa0), (0xed, 0xa0...), (0xf0, ..<0x90), (0xf4, 0x90...): return 0  // overlong, surrogate, too large
    default: return length
    }
}
