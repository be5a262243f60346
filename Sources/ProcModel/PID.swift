/// The number of a process or a thread (pid_t) in one pid namespace. It may be reused.
///
/// Source: pid_namespaces(7).
package struct PID: RawRepresentable, Hashable, Comparable, Sendable {
    package let rawValue: Int32

    package init(rawValue: Int32) { self.rawValue = rawValue }

    /// Parses the canonical decimal name: no sign, no leading zero, from 1 to `Int32.max`; nil for anything else.
    package init?(parsing name: [UInt8]) {
        var cursor = ByteCursor(name)
        guard name.first != UInt8(ascii: "0"), let value = cursor.decimal(), cursor.isAtEnd, value > 0,
            let number = Int32(exactly: value)
        else { return nil }
        self.init(rawValue: number)
    }

    /// A number from a file of /proc; nil if it does not fit.
    init?(exactly number: UInt64) {
        guard let number = Int32(exactly: number) else { return nil }
        self.init(rawValue: number)
    }

    package static func < (first: PID, second: PID) -> Bool { first.rawValue < second.rawValue }
}

/// Decimal, like the name of the directory in /proc.
extension PID: CustomStringConvertible {
    package var description: String { String(rawValue) }
}
