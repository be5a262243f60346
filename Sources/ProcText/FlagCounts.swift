import ProcModel

/// How many pages carry which combination of flags: the content of `flags`.
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

    /// The rows and the total line.
    package func text(_ context: FrameContext) -> [UInt8] {
        var rows: [String: (pages: UInt64, word: String, names: String)] = [:]
        for (key, pages) in counts {
            let (word, names) = describe(key, context)
            rows[word + " " + names, default: (0, word, names)].pages += pages
        }
        let sorted = rows.values.sorted { ($1.pages, $0.word, $0.names) < ($0.pages, $1.word, $1.names) }
        var text = LineWriter()
        let total = sorted.reduce(0) { $0 + $1.pages }
        for row in sorted + [(total, "-", "total")] {
            text.field(Table.flags[0]) { $0.decimal(row.pages) }
            text.field(Table.flags[1]) { $0.decimal(row.pages * context.pageSize / 1024) }
            text.field(Table.flags[2]) { $0.text(row.word) }
            text.text(row.names)
            text.newline()
        }
        return text.bytes
    }

    private func describe(_ key: Key, _ context: FrameContext) -> (word: String, names: String) {
        switch key.state {
        case .present, .zero:
            var word = LineWriter()
            switch context.view.flags {
            case .known: word.hex(key.word, minimum: 16)
            case .hidden: word.byte("?")
            case .missing: word.byte("-")
            }
            let flags =
                context.view.flags == .known ? PageFlags(rawValue: key.word).corrected(ksmLies: context.ksmLies) : []
            var names = LineWriter()
            names.flagNames(flags, PageMapEntry(rawValue: key.entryFlags))
            return (String(decoding: word.bytes, as: UTF8.self), String(decoding: names.bytes, as: UTF8.self))
        case .absent, .swapped, .guard, .marker, .special:
            return ("-", key.state.name)
        }
    }
}
