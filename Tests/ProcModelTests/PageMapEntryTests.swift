import ProcModel
import Testing

@Suite("Words of pagemap", .timeLimit(.minutes(1)))
struct PageMapEntryTests {
    static let states: [(word: UInt64, state: PageState)] = [
        (0, .absent),
        (0x8180_0000_0001_ae62, .present),
        (0x8000_0000_0000_3b34, .present),
        (0x4000_0000_002b_1380, .swapped),
        (0x4400_0000_0000_009f, .guard),
        (0x4200_0000_0000_003f, .marker),
        (0x4000_0000_0000_005f, .marker),
        (0x4000_0000_0000_0098, .special),
        (0x4000_0000_0000_009e, .special),
        (0x4000_0000_0000_0097, .swapped),
        (1 << 55, .absent),
    ]

    @Test("each state is told apart", arguments: states)
    func state(_ row: (word: UInt64, state: PageState)) {
        #expect(PageMapEntry(rawValue: row.word).state == row.state)
    }

    @Test("a present entry is present whatever its other bits", arguments: 0..<63)
    func present(bit: UInt64) {
        let entry = PageMapEntry(rawValue: 1 << 63 | 1 << bit)
        #expect(entry.state == .present)
        #expect(entry.frame == PFN(rawValue: bit < 55 ? 1 << bit : 0))
    }

    @Test("type and offset of swap are the bits of the documentation", arguments: 0..<55)
    func swap(bit: UInt64) {
        let entry = PageMapEntry(rawValue: 1 << 62 | 1 << bit)
        #expect(entry.swapType == (bit < 5 ? 1 << bit : 0))
        #expect(entry.swapOffset == (bit < 5 ? 0 : 1 << (bit - 5)))
    }

    @Test("each pagemap flag has its name, other bits have none", arguments: 0..<64)
    func names(bit: Int) {
        let named = [55: "softdirty", 56: "mmap_exclusive", 57: "uffd_wp", 58: "guard", 61: "file"]
        let names = FlagName.names(kernel: [], entry: PageMapEntry(rawValue: 1 << UInt64(bit)))
        #expect(names == (named[bit].map { [$0] } ?? []))
    }
}

@Suite("Words of kpageflags", .timeLimit(.minutes(1)))
struct PageFlagsTests {
    /// As tools/mm/page-types.c spells them, bits 0 to 26 and 32 to 42.
    static let names =
        """
        locked error referenced uptodate dirty lru active slab writeback readahead buddy mmap anonymous swapcache \
        swapbacked compound_head compound_tail huge unevictable hwpoison nopage ksm thp offline zero_page idle_page pgtable
        """.split(whereSeparator: { $0 == " " || $0 == "\n" }).map(String.init)
    static let highNames =
        "reserved mlocked owner_2 private private_2 owner_private arch uncached softdirty arch_2 arch_3"
        .split(separator: " ").map(String.init)

    @Test("each bit alone has its name, and a bit without one is bitN", arguments: 0..<64)
    func name(bit: Int) {
        let expected =
            bit < 27 ? Self.names[bit] : (32...42).contains(bit) ? Self.highNames[bit - 32] : "bit\(bit)"
        let word = PageFlags(rawValue: 1 << UInt64(bit))
        #expect(FlagName.names(kernel: word, entry: PageMapEntry(rawValue: 0)) == [expected])
    }

    @Test func bit34IsAnonExclusiveOnAnonymousPages() {
        let word: PageFlags = [.anonymous, .owner2]
        #expect(FlagName.names(kernel: word, entry: PageMapEntry(rawValue: 0)) == ["anonymous", "anon_exclusive"])
    }

    @Test func reclaimKeepsItsNameDuringWriteback() {
        let names = FlagName.names(kernel: [.reclaim, .writeback], entry: PageMapEntry(rawValue: 0))
        #expect(names == ["writeback", "reclaim"])
    }

    @Test("bits misread from other fields are dropped", arguments: [PageFlags.slab, .buddy, .offline, .pageTable])
    func misread(kind: PageFlags) {
        let misread = PageFlags(rawValue: 1 << 11 | 1 << 12 | 1 << 13 | 1 << 21)
        #expect(kind.union(misread).corrected(ksmLies: false) == kind)
        #expect(misread.corrected(ksmLies: false) == misread)
    }

    @Test func ksmIsDroppedOnlyWhereTheKernelLies() {
        let word: PageFlags = [.ksm, .anonymous]
        #expect(word.corrected(ksmLies: true) == .anonymous)
        #expect(word.corrected(ksmLies: false) == word)
    }

    @Test func tableHasEachBitOnceInOrder() {
        let bits = FlagName.kernel.map(\.bit)
        #expect(bits == Array(0...26) + Array(32...42))
        #expect(String(FlagName.kernel.map(\.letter)) == "LERUDlASWIBMasbHTGuXnxtozigrmdPpOhcfH3")
    }
}
