import ProcModel

/// The lines of `letters`: all of the same width, so that line *k* starts at byte *k* × width.
package struct Letters: Sendable {
    /// Bytes of a line, newline included.
    package static let width = Table.letters.reduce(1) { $0 + $1.width + $1.gap } + positions

    /// Kernel bits 0 to 26 and 32 to 42, the pagemap flags, and the one for bits without a place.
    private static let positions = FlagName.kernel.count + FlagName.pageMap.count + 1
    private static let placedBits = FlagName.kernel.reduce(0 as UInt64) { $0 | 1 << UInt64($1.bit) }

    private let context: FrameContext
    private var lastFlags: (PageFlags, UInt64)?
    private var lastLetters: [UInt8] = []

    package init(_ context: FrameContext) { self.context = context }

    /// Line 0: what the file shows, its width and its columns, padded to the width.
    package static func header(_ title: String) -> [UInt8] {
        var line = LineWriter()
        line.text("# \(title) \(width) " + Table.letters.map(\.name).joined(separator: " "))
        var bytes = Array(line.bytes.prefix(width - 1))
        bytes.append(contentsOf: repeatElement(0x20, count: width - 1 - bytes.count))
        bytes.append(0x0a)
        return bytes
    }

    package mutating func append(_ page: PageRecord, to text: inout LineWriter) {
        let columns = Table.letters
        let state = page.state
        text.field(columns[0]) { $0.hex(page.address) }
        text.byte(state.letter.unicodeScalars.first!)
        text.byte(" ")
        text.field(columns[2]) { $0.frame(state, page.entry, context) }
        text.field(columns[3]) { $0.frameNumber(page.mapCount, state, context.view.mapCount) }
        let flags = page.flags(context)
        let entryFlags = page.entry.rawValue & PageMapEntry.flagMask | (page.entry.isPresent ? 1 : 0)
        if lastFlags.map({ $0 != (flags, entryFlags) }) ?? true {
            lastLetters = letters(flags, page)
            lastFlags = (flags, entryFlags)
        }
        text.raw(lastLetters)
        text.newline()
    }

    private func letters(_ flags: PageFlags, _ page: PageRecord) -> [UInt8] {
        var letters = LineWriter()
        let hidden = page.entry.isPresent && context.view.flags == .hidden
        for flag in FlagName.kernel {
            let set = flags.rawValue >> UInt64(flag.bit) & 1 != 0
            letters.text(hidden ? "?" : set ? String(flag.letter) : "_")
        }
        for flag in FlagName.pageMap {
            letters.text(page.entry.rawValue >> UInt64(flag.bit) & 1 != 0 ? String(flag.letter) : "_")
        }
        letters.text(hidden ? "?" : flags.rawValue & ~Self.placedBits != 0 ? "+" : "_")
        return letters.bytes
    }
}
