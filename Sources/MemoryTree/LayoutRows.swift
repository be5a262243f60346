import ProcModel
import ProcSource
import ProcText
import Syscalls
import SystemPackage

/// The rows of `layout`, made from smaps while it is being read.
///
/// Policy: the kernel writes smaps a page at a time, and that takes longer than everything else together; so one thread
/// does nothing but read it, the mapping list with its labels is read at the same time on another, and rows are made by
/// the decoders. Used by one reader at a time.
final class LayoutRows: @unchecked Sendable {
    // Safety: touched only by the closures of one TextStream, under its lock, or before there is one.
    private let blocks: ReadAhead<[UInt8]>
    private let list: Pending<Labels>
    private let memory: ProcessMemory
    private var labels: Labels?
    /// Read, but no rows are made of it yet.
    private var texts: ArraySlice<[UInt8]> = []
    private let ahead: Lookahead<[UInt8]>

    /// Texts read ahead, of 128 KiB each: what is read while the mapping list is.
    private static let mostAhead = 128

    init(_ memory: ProcessMemory, _ list: Pending<Labels>, _ decoders: Decoders) throws(ProcError) {
        let blocks = SMapsBlocks(try memory.open("smaps"))
        self.blocks = ReadAhead(most: 16, make: blocks.next)
        self.list = list
        self.memory = memory
        ahead = Lookahead(decoders)
    }

    func cancel() {
        blocks.cancel()
        ahead.cancel()
    }

    /// How many rows there will be.
    func count(_ reader: Reader) throws(ProcError) -> Int {
        while labels == nil { try advance(reader) }
        return labels!.mappings.list.count
    }

    /// Some rows; nil at the end.
    func next(_ reader: Reader) throws(ProcError) -> [UInt8]? {
        while true {
            if let rows = try ahead.nextIfReady() { return rows }
            if try !advance(reader) { return try ahead.next(reader) }
        }
    }

    /// Reads on, or waits for the mapping list when enough has been read; false when there is neither to do.
    @discardableResult
    private func advance(_ reader: Reader) throws(ProcError) -> Bool {
        if texts.count + ahead.count < Self.mostAhead, let text = try blocks.next(reader) {
            texts.append(text)
            if labels == nil { labels = try list.valueIfReady() }
        } else if labels == nil {
            labels = try list.value(for: reader)
        } else {
            return false
        }
        guard let labels else { return true }
        while let text = texts.popFirst() {
            ahead.submit { [memory] _ throws(ProcError) in
                try ProcError.decode { () throws(DecodeError) in try layoutRows(text, labels, memory) }
            }
        }
        return true
    }
}

/// A row for each block of a text of smaps.
private func layoutRows(_ text: [UInt8], _ labels: Labels, _ memory: ProcessMemory) throws(DecodeError) -> [UInt8] {
    let ranges = smapsBlocks(text)
    var rows = LineWriter(capacity: ranges.count * 128)
    for range in ranges {
        var cursor = ByteCursor(text, from: range.lowerBound, to: range.upperBound)
        let vma = try VMA(line: &cursor)
        let index = labels.mappings.index(of: vma.range)
        let object = index.map { labels.objects[$0] } ?? MappedObject(vma, memory: nil)
        let sizes = ResidentSizes(block: cursor.position..<range.upperBound, of: text)
        rows.layout(vma, sizes, index.flatMap { labels.labels[$0] }, object)
    }
    return rows.bytes
}

/// Reads smaps in whole blocks.
private final class SMapsBlocks: @unchecked Sendable {
    // Safety: touched by the one thread that reads ahead.
    private let file: File
    private var rest: [UInt8] = []
    private var isAtEnd = false

    private static let textBytes = 128 << 10

    init(_ file: File) { self.file = file }

    /// The lines of some mappings; nil at the end.
    @Sendable func next(_ reader: Reader) throws(ProcError) -> [UInt8]? {
        while !isAtEnd {
            try reader.checkInterrupted()
            let start = rest
            var (text, wasLast) = try ProcError.wrap { () throws(Errno) in
                try file.readBlock(after: start, capacity: Self.textBytes)
            }
            isAtEnd = wasLast
            rest = []
            if !isAtEnd, let start = lastSMapsBlock(text) {
                rest = Array(text[start...])
                text.removeLast(rest.count)
            }
            if !text.isEmpty { return text }
        }
        return nil
    }
}

extension LineWriter {
    fileprivate mutating func layout(_ vma: VMA, _ sizes: ResidentSizes, _ label: [UInt8]?, _ object: MappedObject) {
        let columns = Table.layout
        field(columns[0]) { $0.range(vma.range) }
        field(columns[1]) { $0.text(vma.permissions.text) }
        field(columns[2]) { $0.decimal(vma.range.size / 1024) }
        field(columns[3]) { $0.decimal(sizes.rss) }
        field(columns[4]) { $0.decimal(sizes.pss) }
        field(columns[5]) { $0.decimal(sizes.uss) }
        field(columns[6]) { $0.decimal(sizes.swap) }
        field(columns[7]) { text in if let label { text.raw(label) } else { text.byte("-") } }
        name(object.name)
        newline()
    }
}
