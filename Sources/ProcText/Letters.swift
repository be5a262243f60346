import ProcModel

/// The lines of `letters`. All have the same width, so line *k* starts at byte *k* × width.
package struct Letters: Sendable {
    /// Bytes per line, including the newline.
    package static let width = table.headings.reduce(1) { $0 + $1.place.width + $1.place.gap } + positions

    package static let table = Table<Row>([
        Column("address", 16, .left, "virtual address of the page, hex") { .hex($0.address) },
        Column("s", 1, .left, "letter of the state") { .word(String($0.facts.state.letter)) },
        Column("frame", 19, .left, "as in pages") { $0.facts.frame },
        Column("n", 10, .left, "mapcount") { $0.facts.mapCountOfFrame },
        Column("flags", 0, .left, gap: 0, "a letter or _ for each flag, then + if any other bit is set") {
            .text($0.letters)
        },
    ])

    /// A page, and its flags as letters.
    package struct Row: Sendable {
        let address: UInt64
        let facts: PageFacts
        let letters: [UInt8]
    }

    /// A letter for each of the kernel bits 0 to 26 and 32 to 42 and of the pagemap flags, and one for all other bits.
    private static let positions = FlagName.kernel.count + FlagName.pageMap.count + 1
    private static let placedBits = FlagName.kernel.reduce(0 as UInt64) { $0 | 1 << UInt64($1.bit) }

    private let context: FrameContext
    private var lastFlags: (PageFlags, UInt64)?
    private var lastLetters: [UInt8] = []

    package init(_ context: FrameContext) { self.context = context }

    /// Line 0: the title, the width and the columns, padded to the width.
    package static func header(_ title: String) -> [UInt8] {
        var line = LineWriter()
        line.text("# \(title) \(width) " + table.headings.map(\.title).joined(separator: " "))
        var bytes = Array(line.bytes.prefix(width - 1))
        bytes.append(contentsOf: repeatElement(0x20, count: width - 1 - bytes.count))
        bytes.append(0x0a)
        return bytes
    }

    package mutating func append(_ page: PageRecord, to text: inout LineWriter) {
        let facts = PageFacts(page, context)
        let entryFlags = page.entry.rawValue & PageMapEntry.flagMask | (page.entry.isPresent ? 1 : 0)
        if lastFlags.map({ $0 != (facts.flags, entryFlags) }) ?? true {
            lastLetters = Self.letters(facts)
            lastFlags = (facts.flags, entryFlags)
        }
        Self.table.append(Row(address: page.address, facts: facts, letters: lastLetters), to: &text)
    }

    private static func letters(_ facts: PageFacts) -> [UInt8] {
        var letters = LineWriter()
        let (word, entry) = (facts.flags.rawValue, facts.entry.rawValue)
        let hidden = facts.entry.isPresent && facts.view.flags == .hidden
        for flag in FlagName.kernel {
            letters.text(hidden ? "?" : word >> UInt64(flag.bit) & 1 != 0 ? String(flag.letter) : "_")
        }
        for flag in FlagName.pageMap { letters.text(entry >> UInt64(flag.bit) & 1 != 0 ? String(flag.letter) : "_") }
        letters.text(hidden ? "?" : word & ~placedBits != 0 ? "+" : "_")
        return letters.bytes
    }
}
