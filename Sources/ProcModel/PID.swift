/// The number of a process or of a thread (pid_t), as one pid namespace gives it: it may be used again.
///
/// Source: pid_namespaces(7).
package struct PID: RawRepresentable, Hashable, Comparable, Sendable {
    package let rawValue: Int32

    package init(rawValue: Int32) { self.rawValue = rawValue }

    /// Reads the canonical decimal name: no sign, no leading zero, at most `Int32.max`, not 0; nil for anything else.
    package init?(parsing name: [UInt8]) {
        var cursor = ByteCursor(name)
        guard name.first != UInt8(ascii: "0"), let value = cursor.decimal(), cursor.isAtEnd, value > 0,
            let number = Int32(exactly: value)
        else { return nil }
        self.init(rawValue: number)
    }

    /// nil for a number of a file of /proc that does not fit.
    init?(exactly number: UInt64) {
        guard let number = Int32(exactly: number) else { return nil }
        self.init(rawValue: number)
    }

    package static func < (first: PID, second: PID) -> Bool { first.rawValue < second.rawValue }
}

/// Decimal, as the directory in /proc is named.
extension PID: CustomStringConvertible {
    package var description: String { String(rawValue) }
}
