import Syscalls

/// Facts of the machine that a /proc tells about: of this one, or of the one on which it was recorded.
package struct Machine: Sendable {
    /// Bytes.
    package let pageSize: UInt64
    package let byteOrder: ByteOrder
    /// Clock ticks a second, the unit of start times.
    package let clockTicks: UInt64
    /// Milliseconds since 1970 at which the machine booted; start times count from there.
    package let bootTime: UInt64

    package init(pageSize: UInt64, byteOrder: ByteOrder, clockTicks: UInt64, bootTime: UInt64) {
        self.pageSize = pageSize
        self.byteOrder = byteOrder
        self.clockTicks = clockTicks
        self.bootTime = bootTime
    }

    /// How the words of pagemap and of the files that have one per frame are written.
    package enum ByteOrder: Sendable {
        case little, big

        package static let host: ByteOrder = 1.littleEndian == 1 ? .little : .big
    }

    /// The one that this program runs on, as it is now.
    package static var this: Machine {
        // To a tick, in which start times are counted: two clocks are never read at the same moment.
        let real = System.realMilliseconds
        let bootTime = (real - min(real, System.bootMilliseconds) + 5) / 10 * 10
        return Machine(
            pageSize: System.pageSize, byteOrder: .host, clockTicks: System.clockTicks, bootTime: bootTime)
    }

    /// Milliseconds since 1970 of a moment that is told in clock ticks since boot; the last there is for what a recording may
    /// say beyond that.
    package func time(ofTicks ticks: UInt64) -> UInt64 {
        let (seconds, rest) = ticks.quotientAndRemainder(dividingBy: clockTicks)
        guard seconds < UInt64(UInt32.max) else { return bootTime }
        return bootTime + seconds * 1000 + rest * 1000 / clockTicks
    }
}
