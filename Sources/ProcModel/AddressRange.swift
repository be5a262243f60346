/// A half-open range of virtual addresses, in bytes.
///
/// Written `START-END` in lower-case hex without prefix or padding, like the names in /proc/PID/map_files.
package struct AddressRange: Hashable, Sendable {
    package let start: UInt64
    /// Not included.
    package let end: UInt64

    package init(_ start: UInt64, _ end: UInt64) {
        self.start = start
        self.end = end
    }

    /// Parses the canonical spelling. Nil for anything else: upper case, a leading zero, blanks, overflow, an empty range.
    package init?(parsing name: [UInt8]) {
        var cursor = ByteCursor(name)
        guard let start = cursor.canonicalHex(), cursor.skip(UInt8(ascii: "-")),
            let end = cursor.canonicalHex(), cursor.isAtEnd, start < end
        else { return nil }
        self.init(start, end)
    }

    /// Bytes.
    package var size: UInt64 { end &- start }

    package var isEmpty: Bool { start >= end }

    package func contains(_ address: UInt64) -> Bool { start <= address && address < end }

    /// The addresses in both ranges; nil if there are none.
    package func intersection(_ other: AddressRange) -> AddressRange? {
        let low = max(start, other.start)
        let high = min(end, other.end)
        return low < high ? AddressRange(low, high) : nil
    }

    package func isAligned(to pageSize: UInt64) -> Bool { (start | end) & (pageSize - 1) == 0 }
}

/// The virtual address in a name such as `7fa3389a2000` or `0x7fa3389a2000`, in either case; nil if the name is no address.
package func parseAddress(_ name: [UInt8]) -> UInt64? {
    var cursor = ByteCursor(name)
    if name.starts(with: "0x".utf8) { cursor.position = 2 }
    guard let value = cursor.hex(), cursor.isAtEnd else { return nil }
    return value
}
