/// One word of /proc/kpageflags, and the only table of its bits.
///
/// Source: include/uapi/linux/kernel-page-flags.h, fs/proc/page.c, tools/mm/page-types.c.
public struct PageFlags: OptionSet, Hashable, Sendable {
    /// As the kernel gives it.
    public let rawValue: UInt64

    /// - Parameter rawValue: as the kernel gives it.
    @inlinable @inline(__always)
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    package static let slab = PageFlags(rawValue: 1 << 7)
    package static let writeback = PageFlags(rawValue: 1 << 8)
    package static let reclaim = PageFlags(rawValue: 1 << 9)
    package static let buddy = PageFlags(rawValue: 1 << 10)
    package static let anonymous = PageFlags(rawValue: 1 << 12)
    package static let huge = PageFlags(rawValue: 1 << 17)
    package static let ksm = PageFlags(rawValue: 1 << 21)
    package static let thp = PageFlags(rawValue: 1 << 22)
    package static let offline = PageFlags(rawValue: 1 << 23)
    /// KPF_ZERO_PAGE: the zero page, small or huge.
    @inlinable public static var zeroPage: PageFlags { PageFlags(rawValue: 1 << 24) }
    package static let pageTable = PageFlags(rawValue: 1 << 26)
    package static let owner2 = PageFlags(rawValue: 1 << 34)

    /// These kinds of page use the fields from which MMAP, ANON, SWAPCACHE and KSM are derived for something else.
    private static let reusesMapping: PageFlags = [.slab, .buddy, .offline, .pageTable]
    private static let misread = PageFlags(rawValue: 1 << 11 | 1 << 12 | 1 << 13 | 1 << 21)

    /// The word without the bits that this kernel is known to report wrongly.
    ///
    /// - Parameter ksmLies: whether the kernel reports KSM on every anonymous page (6.10 to 6.18 without the fix).
    public func corrected(ksmLies: Bool) -> PageFlags {
        var word = self
        if !word.isDisjoint(with: Self.reusesMapping) { word.subtract(Self.misread) }
        if ksmLies { word.subtract(.ksm) }
        return word
    }
}

/// A bit of kpageflags or pagemap: its letter and name in page-types, and its meaning.
package struct FlagName: Sendable {
    package let bit: Int
    package let letter: Character
    package let name: String
    package let meaning: String

    init(_ bit: Int, _ letter: Character, _ name: String, _ meaning: String) {
        self.bit = bit
        self.letter = letter
        self.name = name
        self.meaning = meaning
    }

    /// The bits of /proc/kpageflags, lowest first.
    package static let kernel: [FlagName] = [
        FlagName(0, "L", "locked", "the page is locked, for example during I/O"),
        FlagName(1, "E", "error", "an I/O error occurred (unused since 6.12)"),
        FlagName(2, "R", "referenced", "accessed since it was last moved on an LRU list"),
        FlagName(3, "U", "uptodate", "contents are valid; on free pages: reported to the hypervisor"),
        FlagName(4, "D", "dirty", "must be written back; often not set on anonymous pages"),
        FlagName(5, "l", "lru", "on an LRU list; new pages are added in batches"),
        FlagName(6, "A", "active", "on the active LRU list"),
        FlagName(7, "S", "slab", "owned by the slab allocator"),
        FlagName(8, "W", "writeback", "being written back"),
        FlagName(9, "I", "reclaim", "reclaim after writeback; without writeback: readahead"),
        FlagName(10, "B", "buddy", "free, in the buddy allocator"),
        FlagName(11, "M", "mmap", "mapped into user space (it or another page of its folio)"),
        FlagName(12, "a", "anonymous", "anonymous memory"),
        FlagName(13, "s", "swapcache", "has a swap slot (in the swap cache)"),
        FlagName(14, "b", "swapbacked", "anonymous or shmem: reclaimed to swap"),
        FlagName(15, "H", "compound_head", "head page of a compound page"),
        FlagName(16, "T", "compound_tail", "tail page of a compound page"),
        FlagName(17, "G", "huge", "hugetlb page"),
        FlagName(18, "u", "unevictable", "on the unevictable list"),
        FlagName(19, "X", "hwpoison", "damaged: the hardware reported a memory error"),
        FlagName(20, "n", "nopage", "no page frame has this number (never set since 6.16)"),
        FlagName(21, "x", "ksm", "merged by KSM"),
        FlagName(22, "t", "thp", "part of a large folio of any order"),
        FlagName(23, "o", "offline", "logically offline or ballooned"),
        FlagName(24, "z", "zero_page", "the zero page or the huge zero page"),
        FlagName(25, "i", "idle_page", "not accessed since it was marked idle"),
        FlagName(26, "g", "pgtable", "holds page tables"),
        FlagName(32, "r", "reserved", "reserved: firmware, kernel image, vdso, zero page"),
        FlagName(33, "m", "mlocked", "locked in memory (mlock)"),
        FlagName(34, "d", "owner_2", "has blocks on disk; on anonymous pages: anon_exclusive"),
        FlagName(35, "P", "private", "has private data of the filesystem"),
        FlagName(36, "p", "private_2", "has more private data of the filesystem"),
        FlagName(37, "O", "owner_private", "for use by the owner of the page"),
        FlagName(38, "h", "arch", "architecture specific"),
        FlagName(39, "c", "uncached", "uncached (removed in 6.12)"),
        FlagName(40, "f", "softdirty", "never set by the kernel; page-types takes it from pagemap"),
        FlagName(41, "H", "arch_2", "architecture specific"),
        FlagName(42, "3", "arch_3", "architecture specific"),
    ]

    /// The bits of /proc/PID/pagemap that are printed as flags, lowest first.
    package static let pageMap: [FlagName] = [
        FlagName(55, "f", "softdirty", "written since soft-dirty was last cleared"),
        FlagName(56, "1", "mmap_exclusive", "mapped exactly once"),
        FlagName(57, "v", "uffd_wp", "write-protected by userfaultfd"),
        FlagName(58, "!", "guard", "guard region"),
        FlagName(61, "F", "file", "not anonymous: file page or shared memory"),
    ]

    /// Other names of kernel bits; the rest of the word decides whether they apply.
    package static let anonExclusive = FlagName(34, "d", "anon_exclusive", "owner_2 on an anonymous page: not shared")
    package static let readahead = FlagName(9, "I", "readahead", "reclaim without writeback: readahead marker")

    /// The names of the bits that are set in a corrected kernel word and a pagemap word. Kernel bits come first, each
    /// group in bit order. A kernel bit without a name is `bitN`.
    package static func names(kernel word: PageFlags, entry: PageMapEntry) -> [String] {
        var names: [String] = []
        for bit in 0..<64 where word.rawValue >> UInt64(bit) & 1 != 0 {
            if bit == anonExclusive.bit, word.contains(.anonymous) {
                names.append(anonExclusive.name)
            } else if bit == readahead.bit, !word.contains(.writeback) {
                names.append(readahead.name)
            } else {
                names.append(kernel.first { $0.bit == bit }?.name ?? "bit\(bit)")
            }
        }
        for flag in pageMap where entry.rawValue >> UInt64(flag.bit) & 1 != 0 { names.append(flag.name) }
        return names
    }
}
