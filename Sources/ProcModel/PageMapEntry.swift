/// One 64-bit word of /proc/PID/pagemap.
///
/// Source: Documentation/admin-guide/mm/pagemap.rst, fs/proc/task_mmu.c.
public struct PageMapEntry: RawRepresentable, Hashable, Sendable {
    /// As the kernel gives it.
    public let rawValue: UInt64

    /// - Parameter rawValue: as the kernel gives it.
    @inlinable @inline(__always)
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Written since soft-dirty was last cleared.
    @inlinable public static var softDirtyBit: UInt64 { 1 << 55 }
    /// Mapped exactly once.
    @inlinable public static var exclusiveBit: UInt64 { 1 << 56 }
    /// Write-protected by userfaultfd.
    @inlinable public static var uffdBit: UInt64 { 1 << 57 }
    /// A guard region.
    @inlinable public static var guardBit: UInt64 { 1 << 58 }
    /// A file's page or shared memory.
    @inlinable public static var fileBit: UInt64 { 1 << 61 }
    /// Not present, but not empty: swap or a special entry.
    @inlinable public static var swappedBit: UInt64 { 1 << 62 }
    /// A frame is mapped.
    @inlinable public static var presentBit: UInt64 { 1 << 63 }
    /// Bits 0 to 54: the frame number of a present page.
    @inlinable public static var frameMask: UInt64 { (1 << 55) - 1 }
    /// The bits that are printed as flags.
    @inlinable public static var flagMask: UInt64 { softDirtyBit | exclusiveBit | uffdBit | guardBit | fileBit }

    /// A frame is mapped.
    @inlinable @inline(__always)
    public var isPresent: Bool { rawValue & Self.presentBit != 0 }

    /// Bit 61: a page of a file or of shared memory.
    @inlinable @inline(__always)
    public var isOfFile: Bool { rawValue & Self.fileBit != 0 }

    /// Whether it is not a hole: present, or a swap or special entry.
    @inlinable @inline(__always)
    public var hasEntry: Bool { rawValue & (Self.presentBit | Self.swappedBit) != 0 }

    /// Frame of a present page; `.hidden` if the kernel hides it.
    @inlinable @inline(__always)
    public var frame: PFN { PFN(rawValue: rawValue & Self.frameMask) }

    /// Present, mapped exactly once, and neither a page of a file nor shared memory.
    @inlinable @inline(__always)
    public var isExclusiveAnonymous: Bool {
        rawValue & (Self.presentBit | Self.exclusiveBit | Self.fileBit) == Self.presentBit | Self.exclusiveBit
    }

    /// Type of a swap or special entry (bits 0 to 4).
    @inlinable @inline(__always)
    public var swapType: UInt64 { rawValue & 31 }

    /// Offset of a swap or special entry (bits 5 to 54): pages of the swap area, or a frame number.
    @inlinable @inline(__always)
    public var swapOffset: UInt64 { rawValue >> 5 & ((1 << 50) - 1) }

    /// The state of the entry. This word does not show whether a present page is the zero page: the flags of its frame or
    /// PAGEMAP_SCAN do.
    @inlinable @inline(__always)
    public var state: PageState {
        if rawValue & Self.presentBit != 0 { return .present }
        if rawValue & Self.guardBit != 0 { return .guard }
        if rawValue & Self.swappedBit == 0 { return .absent }
        return swapType == 31 ? .marker : swapType >= 24 ? .special : .swapped
    }
}

/// The state of a page table entry.
public enum PageState: UInt8, CaseIterable, Sendable {
    case absent, present, zero, swapped, `guard`, marker, special

    /// The word used in tables.
    public var name: String {
        switch self {
        case .absent: "absent"
        case .present: "present"
        case .zero: "zero"
        case .swapped: "swapped"
        case .guard: "guard"
        case .marker: "marker"
        case .special: "special"
        }
    }

    /// The letter used in `letters`.
    public var letter: Character {
        switch self {
        case .absent: "."
        case .present: "P"
        case .zero: "Z"
        case .swapped: "S"
        case .guard: "G"
        case .marker: "M"
        case .special: "X"
        }
    }

    /// One sentence for the legend.
    public var meaning: String {
        switch self {
        case .absent: "the entry was gone when its line was read (in letters only)"
        case .present: "a frame is mapped (pagemap bit 63)"
        case .zero: "the shared zero page or huge zero page is mapped"
        case .swapped: "swapped out; frame is TYPE:OFFSET (pagemap bit 62, swap type below 24)"
        case .guard: "guard region: any access faults (pagemap bit 58)"
        case .marker: "userfaultfd write-protect or poison marker (swap type 31)"
        case .special: "migration, device-private or hwpoison entry (swap types 24 to 30)"
        }
    }
}
