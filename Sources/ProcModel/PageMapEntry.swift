/// One 64-bit word of /proc/PID/pagemap.
///
/// Source: Documentation/admin-guide/mm/pagemap.rst, fs/proc/task_mmu.c.
package struct PageMapEntry: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt64

    @inline(__always)
    package init(rawValue: UInt64) { self.rawValue = rawValue }

    package static let softDirtyBit: UInt64 = 1 << 55
    package static let exclusiveBit: UInt64 = 1 << 56
    package static let uffdBit: UInt64 = 1 << 57
    package static let guardBit: UInt64 = 1 << 58
    package static let fileBit: UInt64 = 1 << 61
    package static let swappedBit: UInt64 = 1 << 62
    package static let presentBit: UInt64 = 1 << 63
    /// Bits 0 to 54: the frame number of a present page.
    package static let frameMask: UInt64 = (1 << 55) - 1
    /// The bits that print as flags.
    package static let flagMask: UInt64 = softDirtyBit | exclusiveBit | uffdBit | guardBit | fileBit

    @inline(__always)
    package var isPresent: Bool { rawValue & Self.presentBit != 0 }

    @inline(__always)
    package var hasEntry: Bool { rawValue & (Self.presentBit | Self.swappedBit) != 0 }

    /// Frame number of a present page; 0 where the kernel hides it.
    @inline(__always)
    package var frame: UInt64 { rawValue & Self.frameMask }

    /// Mapped exactly once, and neither a file's nor shared memory.
    @inline(__always)
    package var isExclusiveAnonymous: Bool {
        rawValue & (Self.presentBit | Self.exclusiveBit | Self.fileBit) == Self.presentBit | Self.exclusiveBit
    }

    /// Type of a swap or special entry (bits 0 to 4).
    @inline(__always)
    package var swapType: UInt64 { rawValue & 31 }

    /// Offset of a swap or special entry (bits 5 to 54): pages of the swap area, or a frame number.
    @inline(__always)
    package var swapOffset: UInt64 { rawValue >> 5 & ((1 << 50) - 1) }

    /// What the entry stands for; a present zero page is told apart by its frame's flags or by the scan, not by this word.
    @inline(__always)
    package var state: PageState {
        if rawValue & Self.presentBit != 0 { return .present }
        if rawValue & Self.guardBit != 0 { return .guard }
        if rawValue & Self.swappedBit == 0 { return .absent }
        return swapType == 31 ? .marker : swapType >= 24 ? .special : .swapped
    }
}

/// The states of a page table entry that are told apart.
package enum PageState: UInt8, CaseIterable, Sendable {
    case absent, present, zero, swapped, `guard`, marker, special

    /// The word in the tables.
    package var name: String {
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

    /// The letter in `letters`.
    package var letter: Character {
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
    package var meaning: String {
        switch self {
        case .absent: "the entry was gone again when its line was read (in letters only)"
        case .present: "a frame is mapped (pagemap bit 63)"
        case .zero: "the shared zero page is mapped, small or huge"
        case .swapped: "pagemap bit 62 and a swap type below 24; frame is TYPE:OFFSET"
        case .guard: "a guard region: any access faults (pagemap bit 58)"
        case .marker: "userfaultfd write-protect or poison marker (swap type 31)"
        case .special: "migration, device-private or hwpoison entry (swap types 24 to 30)"
        }
    }
}
