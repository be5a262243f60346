import ProcModel
import ProcSource
import ProcText
import Syscalls
import SystemPackage

/// The rows of `layout`, made from smaps while that is read.
///
/// Policy: the kernel writes smaps a page of text at a time, and that takes longer than all other work together. So one
/// thread does nothing but read smaps, another reads the mapping list with its labels meanwhile, and the decoders make
/// the rows. Used by one reader at a time.
final class LayoutRows: @unchecked Sendable {
    // Safety: touched only by the closures of one TextStream, under its lock, or before there is one.
    private let blocks: BackgroundReader<[UInt8]>
    private let list: BackgroundReader<Labels>
    private var labels: Labels?
    /// Texts that were read, but not yet turned into rows.
    private var texts: ArraySlice<[UInt8]> = []
    private let ahead: OrderedJobs<[UInt8]>

    /// Bytes that a table of mappings may hold while it is read: the mappings with their names, and rows ahead of the
    /// reader. It also holds up to three descriptors.
    static let mostHeld = 16 << 20

    /// How many texts of 128 KiB may be ahead of the reader. They are read while the mapping list is.
    private static let mostAhead = 128

    /// - Parameter list: makes the mapping list with its labels.
    init(
        _ memory: ProcessMemory, _ decoders: Decoders,
        list: @escaping @Sendable (Reader) throws(ProcError) -> Labels
    ) throws(ProcError) {
        let lane = memory.process.lane
        let blocks = SMapsBlocks(memory, try memory.open("smaps"))
        self.blocks = BackgroundReader(most: 16, lane, make: blocks.next)
        self.list = BackgroundReader(most: 1, lane, make: list)
        ahead = OrderedJobs(decoders, lane)
    }

    func cancel() {
        blocks.cancel()
        list.cancel()
        ahead.cancel()
    }

    /// How many rows there will be.
    func count(_ reader: Reader) throws(ProcError) -> Int {
        while labels == nil { try advance(reader) }
        return labels!.mappings.list.count
    }

    /// The next rows; nil at the end.
    func next(_ reader: Reader) throws(ProcError) -> [UInt8]? {
        while true {
            if let rows = try ahead.nextIfReady() { return rows }
            if try !advance(reader) { return try ahead.next(reader) }
        }
    }

    /// Reads the next text, or waits for the mapping list when enough has been read; false when there is neither to do.
    @discardableResult
    private func advance(_ reader: Reader) throws(ProcError) -> Bool {
        if labels == nil { labels = try list.nextIfReady(reader) }
        if texts.count + ahead.count < Self.mostAhead, let text = try blocks.next(reader) {
            texts.append(text)
        } else if labels == nil {
            labels = try list.next(reader)
        } else if texts.isEmpty {
            return false
        }
        guard let labels else { return true }
        while let text = texts.popFirst() {
            ahead.submit { _ throws(ProcError) in
                try ProcError.decode { () throws(DecodeError) in try layoutRows(text, labels) }
            }
        }
        return true
    }
}

/// A row for each block of a text of smaps.
private func layoutRows(_ text: [UInt8], _ labels: Labels) throws(DecodeError) -> [UInt8] {
    let ranges = smapsBlocks(text)
    var rows = LineWriter(capacity: ranges.count * 128)
    for range in ranges {
        var cursor = ByteCursor(text, from: range.lowerBound, to: range.upperBound)
        let vma = try VMA(line: &cursor)
        let index = labels.mappings.index(of: vma.range)
        let object = index.map { labels.objects[$0] } ?? MappedObject(unasked: vma)
        let sizes = ResidentSizes(block: cursor.position..<range.upperBound, of: text)
        let label = index.flatMap { labels.labels[$0] }
        LayoutRow.table.append(LayoutRow(vma: vma, sizes: sizes, label: label, object: object), to: &rows)
    }
    return rows.bytes
}

/// Reads smaps in whole blocks.
private final class SMapsBlocks: @unchecked Sendable {
    // Safety: touched by the one thread that reads ahead.
    private let memory: ProcessMemory
    private let file: TargetFile
    private var offset: UInt64 = 0
    /// Read, but not returned yet.
    private var text: [UInt8] = []
    private var isAtEnd = false

    private static let textBytes = 128 << 10
    /// More than the lines of one mapping ever take.
    private static let mostBytes = 4 << 20

    init(_ memory: ProcessMemory, _ file: TargetFile) {
        self.memory = memory
        self.file = file
    }

    /// The lines of the next mappings; nil at the end. After a temporary failure (`isPassing`) it can be called again.
    @Sendable func next(_ reader: Reader) throws(ProcError) -> [UInt8]? {
        while !isAtEnd {
            try reader.checkInterrupted()
            try readOn()
            guard !isAtEnd, let start = lastSMapsBlock(text), start > 0 else {
                guard isAtEnd || text.count < Self.mostBytes else {
                    throw .malformed(DecodeError("smaps", at: Int(offset)))
                }
                continue
            }
            defer { text = Array(text[start...]) }
            return Array(text[..<start])
        }
        defer { text = [] }
        return text.isEmpty ? nil : text
    }

    private func readOn() throws(ProcError) {
        let before = text.count
        defer { offset += UInt64(text.count - before) }
        guard try file.readBlock(at: offset, into: &text, capacity: max(Self.textBytes, 2 * before)) else { return }
        try memory.requireAlive()
        isAtEnd = true
    }
}
