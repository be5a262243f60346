import ProcModel
import ProcSource
import ProcText
import Syscalls

extension Content {
    /// One line of fixed width per page that has an entry. Which pages these are is fixed at open; a line is made when
    /// it is read.
    static let letters = mapping { opening, range throws(ProcError) in
        var title = LineWriter()
        title.range(range)
        title.text(" \(opening.process.process.id.pid) ")
        title.time(milliseconds: System.realMilliseconds)
        let header = Letters.header(String(decoding: title.bytes, as: UTF8.self))
        let width = UInt64(Letters.width)
        guard let walk = try opening.walk() else {
            return .record(RecordFile(size: width, blockSize: width) { _, _ in header })
        }
        let extents = try opening.tree.extents(of: range, opening.process, walk, opening.reader)
        let rows = ExtentRows(extents, pageSize: opening.context.pageSize)
        let context = opening.context
        // Small blocks, so that a read of 64 KiB decodes little more than it returns.
        let linesPerBlock: UInt64 = 128
        let tableBytes = extents.count * (MemoryLayout<Extent>.stride + 8)
        let file = RecordFile(
            size: Letters.size(rows.count), blockSize: linesPerBlock * width, tableBytes: tableBytes
        ) { block, _ throws(ProcError) in
            // Line 0 is the header, so the page of line k is number k - 1.
            let first = block * linesPerBlock
            var batch = PageBatch()
            let pages = rows.extents(of: first - min(first, 1)..<(first + linesPerBlock - 1))
            try walk.read(pages, .all, keepsAbsent: true, into: &batch)
            var text = LineWriter(capacity: Int(linesPerBlock * width))
            if first == 0 { text.raw(header) }
            var letters = Letters(context)
            for index in 0..<batch.count { letters.append(batch[index], to: &text) }
            return text.bytes
        }
        return .record(file)
    }
}

extension Opening {
    /// The size of `letters`; nil without an address space.
    static func lettersSize(_ opening: Opening, _ range: AddressRange) throws(ProcError) -> FileSize? {
        guard let walk = try opening.walk() else { return nil }
        let pages = try opening.tree.pageCount(of: range, opening.process, walk, opening.reader)
        return FileSize(bytes: Letters.size(pages), stored: nil)
    }
}

extension Letters {
    /// Bytes of the header and one line per page.
    fileprivate static func size(_ pages: UInt64) -> UInt64 { (pages + 1) * UInt64(width) }
}

/// Numbers the pages of extents.
private struct ExtentRows: Sendable {
    private let extents: [Extent]
    /// Number of the first page of each extent, then the number of pages.
    private let firsts: [UInt64]
    private let pageSize: UInt64

    init(_ extents: [Extent], pageSize: UInt64) {
        self.extents = extents
        self.pageSize = pageSize
        var firsts: [UInt64] = [0]
        for extent in extents { firsts.append(firsts.last! + (extent.end - extent.start) / pageSize) }
        self.firsts = firsts
    }

    /// How many pages there are.
    var count: UInt64 { firsts.last! }

    /// The parts of extents that hold the pages of these numbers.
    func extents(of rows: Range<UInt64>) -> [Extent] {
        guard rows.lowerBound < firsts.last! else { return [] }
        var parts: [Extent] = []
        var index = firsts.firstIndex(notBelow: rows.lowerBound + 1) - 1
        while index < extents.count, firsts[index] < rows.upperBound {
            let low = max(rows.lowerBound, firsts[index])
            let high = min(rows.upperBound, firsts[index + 1])
            let base = extents[index].start
            parts.append(
                extents[index].cut(
                    from: base + (low - firsts[index]) * pageSize, to: base + (high - firsts[index]) * pageSize))
            index += 1
        }
        return parts
    }
}
