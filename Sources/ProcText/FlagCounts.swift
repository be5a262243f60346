import ProcModel

/// How many pages have each combination of flags: the content of `flags`.
package struct FlagCounts: PageCounts {
    private struct Key: Hashable {
        let state: PageState
        let word: UInt64
        let entryFlags: UInt64
    }

    private var counts: [Key: UInt64] = [:]
    private var lastKey: Key?
    private var lastCount: UInt64 = 0

    package init() {}

    package mutating func add(_ batch: PageBatch) {
        for index in 0..<batch.count {
            let page = batch[index]
            let present = page.entry.isPresent
            let key = Key(
                state: page.state, word: page.rawFlags.rawValue,
                entryFlags: present ? page.entry.rawValue & PageMapEntry.flagMask : 0)
            if key != lastKey {
                flush()
                lastKey = key
            }
            lastCount += 1
        }
        flush()
    }

    package mutating func add(_ other: FlagCounts) {
        counts.merge(other.counts, uniquingKeysWith: +)
    }

    private mutating func flush() {
        if let lastKey, lastCount > 0 { counts[lastKey, default: 0] += lastCount }
        lastCount = 0
    }

    /// A row of `flags`.
    package struct Row: Sendable {
        var pages: UInt64
        let kilobytesPerPage: UInt64
        let word, names: Cell
    }

    package static let table = Table<Row>([
        Column("pages", 9, .left, "number of pages with this combination of flags") { .number($0.pages) },
        Column("kB", 11, .right, gap: 2, "the same in kB") { .number($0.pages * $0.kilobytesPerPage) },
        Column("flags-word", 16, .left, "word of kpageflags, hex; - if not present; ? if hidden") { $0.word },
        Column("names", 0, .left, gap: 0, "names of the flags; the state if the page is not present") { $0.names },
    ])

    /// The rows, the most frequent combination first, and the total.
    package func text(_ context: FrameContext) -> [UInt8] {
        let kilobytesPerPage = context.pageSize / 1024
        // Combinations that print the same become one row.
        var rows: [String: Row] = [:]
        for (key, pages) in counts {
            let (word, names) = cells(key, context)
            let row = Row(pages: 0, kilobytesPerPage: kilobytesPerPage, word: word, names: names)
            var spelling = LineWriter()
            Self.table.append(row, from: 2, to: &spelling)
            rows[String(decoding: spelling.bytes, as: UTF8.self), default: row].pages += pages
        }
        let sorted = rows.sorted { ($1.value.pages, $0.key) < ($0.value.pages, $1.key) }.map(\.value)
        let total = Row(
            pages: sorted.reduce(0) { $0 + $1.pages }, kilobytesPerPage: kilobytesPerPage, word: .absent,
            names: .word("total"))
        var text = LineWriter()
        for row in sorted + [total] { Self.table.append(row, to: &text) }
        return text.bytes
    }

    private func cells(_ key: Key, _ context: FrameContext) -> (word: Cell, names: Cell) {
        switch key.state {
        case .present, .zero:
            let flags =
                context.view.flags == .known ? PageFlags(rawValue: key.word).corrected(ksmLies: context.ksmLies) : []
            let names = Cell.flags(FlagName.names(kernel: flags, entry: PageMapEntry(rawValue: key.entryFlags)))
            return switch context.view.flags {
            case .known: (.hex(key.word, digits: 16), names)
            case .hidden: (.hidden, names)
            case .missing: (.absent, names)
            }
        case .absent, .swapped, .guard, .marker, .special: return (.absent, .word(key.state.name))
        }
    }
}
