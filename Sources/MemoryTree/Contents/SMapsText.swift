import ProcModel
import ProcSource

/// A text of smaps and where each mapping's lines are.
struct SMapsText: Sendable {
    let text: [UInt8]
    let blocks: [Range<Int>]
    private let index: [UInt64: Int]

    init(_ text: [UInt8]) {
        self.text = text
        blocks = smapsBlocks(text)
        var index: [UInt64: Int] = [:]
        for (number, block) in blocks.enumerated() {
            var cursor = ByteCursor(text, from: block.lowerBound, to: block.upperBound)
            if let start = cursor.hex() { index[start] = number }
        }
        self.index = index
    }

    func block(of range: AddressRange) -> Range<Int>? {
        guard let number = index[range.start] else { return nil }
        var cursor = ByteCursor(text, from: blocks[number].lowerBound, to: blocks[number].upperBound)
        guard cursor.hex() == range.start, cursor.skip(UInt8(ascii: "-")), cursor.hex() == range.end else { return nil }
        return blocks[number]
    }
}

extension SMaps {
    /// The counters of one mapping, or of smaps_rollup: a header line, then `Key: value` lines.
    init(block: [UInt8]) throws(ProcError) {
        self = try ProcError.decode { () throws(DecodeError) in
            var cursor = ByteCursor(block)
            cursor.position = min(cursor.endOfLine + 1, cursor.limit)
            return try SMaps(lines: &cursor)
        }
    }
}

extension Tree {
    /// The mapping's lines of smaps, unchanged.
    /// - Throws: `.absent` when there is no mapping with exactly this range.
    func smaps(_ range: AddressRange, _ opened: OpenedProcess, _ reader: Reader) throws(ProcError) -> ArraySlice<UInt8>
    {
        guard let memory = opened.memory else { throw .absent }
        let all = try cache.value(
            .smaps(opened.key), for: reader,
            accept: { (kept: SMapsText) in kept.block(of: range) != nil },
            bytes: { $0.text.count + $0.blocks.count * 48 }
        ) { () throws(ProcError) in
            SMapsText(try memory.readAll(try memory.open("smaps")))
        }
        guard let block = all.block(of: range) else { throw .absent }
        return all.text[block]
    }
}
