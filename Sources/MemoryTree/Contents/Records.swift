import ProcModel
import ProcSource
import ProcText
import Syscalls

extension Tree {
    /// Bytes of `letters`: a header and one line a page.
    func lettersSize(_ pages: UInt64) -> UInt64 { (pages + 1) * UInt64(Letters.width) }

    /// `letters`: which pages have a line is settled at open; a line is made when it is read.
    func lettersFile(_ node: Node, _ opened: OpenedProcess, _ reader: Reader) throws(ProcError) -> RecordFile {
        var title = LineWriter()
        title.range(node.range!)
        title.text(" \(opened.process.id.pid) ")
        title.time(milliseconds: System.realMilliseconds)
        let header = Letters.header(String(decoding: title.bytes, as: UTF8.self))
        let width = UInt64(Letters.width)
        guard let walk = try walk(opened) else {
            return RecordFile(size: width, blockSize: width) { _, _ in header }
        }
        let extents = try extents(of: node.range!, opened, walk, reader)
        let rows = ExtentRows(extents, pageSize: System.pageSize)
        let context = opened.context
        // A reader of any 64 KiB has little more decoded than that.
        let linesPerBlock: UInt64 = 128
        let tableBytes = extents.count * (MemoryLayout<Extent>.stride + 8)
        return RecordFile(size: lettersSize(rows.count), blockSize: linesPerBlock * width, tableBytes: tableBytes) {
            block, _ throws(ProcError) in
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
    }

    /// An array in `raw`: entry *k* is the word of page *k* of the mapping.
    func rawFile(_ node: Node, _ opened: OpenedProcess, _ reader: Reader) throws(ProcError) -> RecordFile {
        let range = node.range!
        let pageSize = System.pageSize
        let size = range.size / pageSize * 8
        guard let walk = try walk(opened) else { throw .gone }
        let (wanted, column) = try rawColumn(node.entry, opened.context.view)
        let extents = try extents(of: range, opened, walk, reader)
        let wordsPerBlock: UInt64 = 4096
        let data = extents.map { ($0.start - range.start) / pageSize * 8..<($0.end - range.start) / pageSize * 8 }
            .joinedNeighbours
        let tableBytes = extents.count * MemoryLayout<Extent>.stride
        return RecordFile(size: size, blockSize: wordsPerBlock * 8, data: data, tableBytes: tableBytes) {
            block, _ throws(ProcError) in
            let start = range.start + block * wordsPerBlock * pageSize
            let end = start + min(range.end - start, wordsPerBlock * pageSize)
            var bytes = [UInt8](repeating: 0, count: Int((end - start) / pageSize * 8))
            var batch = PageBatch()
            try walk.read(extents.part(start, end), wanted, into: &batch)
            for index in 0..<batch.count {
                let word = batch[keyPath: column][index]
                let offset = Int((batch.addresses[index] - start) / pageSize * 8)
                for byte in 0..<8 { bytes[offset + byte] = UInt8(truncatingIfNeeded: word.hostOrder(byte)) }
            }
            return bytes
        }
    }

    /// What an array is read from.
    ///
    /// - Throws: the kernel's refusal where its words are hidden: never zeros.
    private func rawColumn(
        _ entry: Entry, _ view: FrameView
    ) throws(ProcError) -> (PageWalk.Wanted, any KeyPath<PageBatch, [UInt64]> & Sendable) {
        let source: (FrameFile, Visibility, PageWalk.Wanted, any KeyPath<PageBatch, [UInt64]> & Sendable)
        switch entry {
        case .rawKpageflags: source = (files.flags, view.flags, .flags, \.flags)
        case .rawKpagecount: source = (files.mapCounts, view.mapCount, .mapCounts, \.mapCounts)
        case .rawKpagecgroup: source = (files.cgroups, view.cgroup, .cgroups, \.cgroups)
        default: return ([], \.words)
        }
        if let failure = source.0.failure { throw failure }
        // Without the frame numbers there is nothing to ask; with them the file itself is closed.
        guard view.frame == .known else { throw .refused(.notPermitted) }
        guard source.1 == .known else { throw .refused(.permissionDenied) }
        return (source.2, source.3)
    }
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

extension [Extent] {
    /// What of them lies in a range; they are in address order.
    fileprivate func part(_ start: UInt64, _ end: UInt64) -> [Extent] {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if self[middle].end <= start { low = middle + 1 } else { high = middle }
        }
        return self[low...].prefix { $0.start < end }.map {
            $0.cut(from: Swift.max($0.start, start), to: Swift.min($0.end, end))
        }
    }
}

extension [Range<UInt64>] {
    fileprivate var joinedNeighbours: [Range<UInt64>] {
        var joined: [Range<UInt64>] = []
        for range in self {
            if let last = joined.last, last.upperBound == range.lowerBound {
                joined[joined.count - 1] = last.lowerBound..<range.upperBound
            } else {
                joined.append(range)
            }
        }
        return joined
    }
}

extension UInt64 {
    /// Byte `index` of the number as it lies in memory here.
    fileprivate func hostOrder(_ index: Int) -> UInt64 { littleEndian >> UInt64(index * 8) & 0xff }
}
