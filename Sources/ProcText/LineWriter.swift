import ProcModel

/// Builds text as bytes: words, numbers, padding.
package struct LineWriter: Sendable {
    package private(set) var bytes: [UInt8] = []

    package init(capacity: Int = 0) { bytes.reserveCapacity(capacity) }

    /// Number of bytes written.
    var length: Int { bytes.count }

    /// Removes everything and keeps the memory.
    package mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

    package mutating func text(_ text: some StringProtocol) { bytes.append(contentsOf: text.utf8) }

    package mutating func raw(_ other: some Sequence<UInt8>) { bytes.append(contentsOf: other) }

    package mutating func byte(_ character: Unicode.Scalar) { bytes.append(UInt8(ascii: character)) }

    package mutating func newline() { bytes.append(0x0a) }

    package mutating func decimal(_ value: UInt64) { digits(value, base: 10, minimum: 1) }

    /// Lower-case hex without prefix; padded with zeros to `minimum` digits.
    package mutating func hex(_ value: UInt64, minimum: Int = 1) { digits(value, base: 16, minimum: minimum) }

    /// `START-END` in hex.
    package mutating func range(_ range: AddressRange) {
        hex(range.start)
        byte("-")
        hex(range.end)
    }

    /// Writes a time as ISO 8601 in UTC, with milliseconds.
    ///
    /// - Parameter milliseconds: since 1970.
    package mutating func time(milliseconds: UInt64) {
        let date = CivilTime(milliseconds: milliseconds)
        for (value, width, separator) in date.parts {
            digits(UInt64(value), base: 10, minimum: width)
            byte(separator)
        }
    }

    /// Writes the name, escaped as by `appendEscaped`; blanks are not escaped if `keepingBlanks` is true.
    package mutating func escaped(_ name: some Collection<UInt8>, keepingBlanks: Bool) {
        appendEscaped(name, to: &bytes) { $0 == 0x20 && keepingBlanks }
    }

    /// Pads the text from byte `start` on with blanks to the width of its place.
    mutating func pad(_ place: Position, from start: Int) {
        let missing = max(0, place.width - (bytes.count - start))
        switch place.alignment {
        case .left: bytes.append(contentsOf: repeatElement(0x20, count: missing + place.gap))
        case .right:
            if missing > 0 { bytes.insert(contentsOf: repeatElement(0x20, count: missing), at: start) }
            bytes.append(contentsOf: repeatElement(0x20, count: place.gap))
        }
    }

    /// Removes blanks at the end.
    package mutating func trimBlanks() {
        while bytes.last == 0x20 { bytes.removeLast() }
    }

    private mutating func digits(_ value: UInt64, base: UInt64, minimum: Int) {
        var rest = value
        var places = 1
        while rest >= base {
            rest /= base
            places += 1
        }
        places = max(places, minimum)
        let start = bytes.count
        bytes.append(contentsOf: repeatElement(0x30, count: places))
        rest = value
        var index = start + places - 1
        while rest != 0 {
            let digit = UInt8(truncatingIfNeeded: rest % base)
            bytes[index] = digit < 10 ? 0x30 + digit : 0x57 + digit
            rest /= base
            index -= 1
        }
    }
}

/// Date and time in UTC, in the proleptic Gregorian calendar.
package struct CivilTime: Equatable, Sendable {
    package let year, month, day, hour, minute, second, millisecond: Int

    /// - Parameter milliseconds: since 1970.
    package init(milliseconds: UInt64) {
        let seconds = Int(milliseconds / 1000)
        millisecond = Int(milliseconds % 1000)
        (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60)
        // Eras of 400 years that begin on 1 March, so that a leap day is the last day of a year.
        let days = seconds / 86_400 + 719_468
        let (era, dayOfEra) = (days / 146_097, days % 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * shifted + 2) / 5 + 1
        month = shifted < 10 ? shifted + 3 : shifted - 9
        year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0)
    }

    fileprivate var parts: [(Int, Int, Unicode.Scalar)] {
        [
            (year, 4, "-"), (month, 2, "-"), (day, 2, "T"), (hour, 2, ":"), (minute, 2, ":"), (second, 2, "."),
            (millisecond, 3, "Z"),
        ]
    }
}
