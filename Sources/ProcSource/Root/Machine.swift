import Syscalls

/// Facts of the machine that a /proc shows: this machine, or the one on which it was recorded.
package struct Machine: Sendable {
    /// Bytes.
    package let pageSize: UInt64
    package let byteOrder: ByteOrder
    /// Clock ticks per second, the unit of start times.
    package let clockTicks: UInt64
    /// When the machine booted, in milliseconds since 1970. Start times count from there.
    package let bootTime: UInt64

    package init(pageSize: UInt64, byteOrder: ByteOrder, clockTicks: UInt64, bootTime: UInt64) {
        self.pageSize = pageSize
        self.byteOrder = byteOrder
        self.clockTicks = clockTicks
        self.bootTime = bootTime
    }

    /// Byte order of the words in pagemap and in the files with one word per frame.
    package enum ByteOrder: Sendable {
        case little, big

        package static let host: ByteOrder = 1.littleEndian == 1 ? .little : .big
    }

    /// The machine that this program runs on, as it is now.
    package static var this: Machine {
        // Rounded to 10 ms, the length of a tick, since the two clocks are not read at the same moment.
        let real = System.realMilliseconds
        let bootTime = (real - min(real, System.bootMilliseconds) + 5) / 10 * 10
        return Machine(
            pageSize: System.pageSize, byteOrder: .host, clockTicks: System.clockTicks, bootTime: bootTime)
    }

    /// Converts clock ticks since boot to milliseconds since 1970. For a number that is too large, which a recording may
    /// contain, the result is the boot time.
    package func time(ofTicks ticks: UInt64) -> UInt64 {
        let (seconds, rest) = ticks.quotientAndRemainder(dividingBy: clockTicks)
        guard seconds < UInt64(UInt32.max) else { return bootTime }
        return bootTime + seconds * 1000 + rest * 1000 / clockTicks
    }
}
