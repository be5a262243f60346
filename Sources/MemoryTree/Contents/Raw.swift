import ProcModel
import ProcSource
import ProcText
import Syscalls

extension Content {
    static let rawPagemap = rawWords { _ in RawSource(wanted: [], column: \.words) }
    static let rawKpageflags = rawWords { opening throws(ProcError) in
        try opening.source(opening.tree.files.flags, opening.context.view.flags, .flags, \.flags)
    }
    static let rawKpagecount = rawWords { opening throws(ProcError) in
        try opening.source(opening.tree.files.mapCounts, opening.context.view.mapCount, .mapCounts, \.mapCounts)
    }
    static let rawKpagecgroup = rawWords { opening throws(ProcError) in
        try opening.source(opening.tree.files.cgroups, opening.context.view.cgroup, .cgroups, \.cgroups)
    }

    /// An array of words: word *k* is that of page *k* of the mapping.
    private static func rawWords(
        _ source: @escaping @Sendable (Opening) throws(ProcError) -> RawSource
    ) -> Content {
        mapping { opening, range throws(ProcError) in
            guard let walk = try opening.walk() else { throw .gone }
            let source = try source(opening)
            let extents = try opening.tree.extents(of: range, opening.process, walk, opening.reader)
            return .record(RecordFile(range, extents, walk, source))
        }
    }
}

/// Where the words of an array come from.
private struct RawSource: Sendable {
    let wanted: PageWalk.Wanted
    let column: any KeyPath<PageBatch, [UInt64]> & Sendable
}

extension RecordFile {
    fileprivate convenience init(_ range: AddressRange, _ extents: [Extent], _ walk: PageWalk, _ source: RawSource) {
        let pageSize = walk.context.pageSize
        let wordsPerBlock: UInt64 = 4096
        let data = extents.map { ($0.start - range.start) / pageSize * 8..<($0.end - range.start) / pageSize * 8 }
            .joinedNeighbours
        let tableBytes = extents.count * MemoryLayout<Extent>.stride
        self.init(
            size: Opening.rawBytes(range, pageSize: pageSize), blockSize: wordsPerBlock * 8, data: data,
            tableBytes: tableBytes
        ) { block, _ throws(ProcError) in
            let start = range.start + block * wordsPerBlock * pageSize
            let end = start + min(range.end - start, wordsPerBlock * pageSize)
            var bytes = [UInt8](repeating: 0, count: Int((end - start) / pageSize * 8))
            var batch = PageBatch()
            try walk.read(extents.part(start, end), source.wanted, into: &batch)
            for index in 0..<batch.count {
                let word = batch[keyPath: source.column][index]
                let offset = Int((batch.addresses[index] - start) / pageSize * 8)
                for byte in 0..<8 { bytes[offset + byte] = UInt8(truncatingIfNeeded: word.hostOrder(byte)) }
            }
            return bytes
        }
    }
}

extension Opening {
    /// - Throws: EPERM or EACCES, as the kernel does, where the reader may not see the words. They are never shown as
    ///   zeros.
    fileprivate func source(
        _ file: FrameFile, _ visibility: Visibility, _ wanted: PageWalk.Wanted,
        _ column: any KeyPath<PageBatch, [UInt64]> & Sendable
    ) throws(ProcError) -> RawSource {
        if let failure = file.failure { throw failure }
        // Without frame numbers there is nothing to look up. With them, it is the file of words that may not be read.
        guard context.view.frame == .known else { throw .refused(.notPermitted) }
        guard visibility == .known else { throw .refused(.permissionDenied) }
        return RawSource(wanted: wanted, column: column)
    }

    /// The size of an array, and how many of its bytes are of pages that have an entry.
    static func rawSize(_ opening: Opening, _ range: AddressRange) throws(ProcError) -> FileSize? {
        var stored: UInt64?
        do throws(ProcError) {
            if let walk = try opening.walk() {
                stored = try opening.tree.pageCount(of: range, opening.process, walk, opening.reader) * 8
            }
        } catch {
            // The size itself is not secret.
            guard case .refused = error else { throw error }
        }
        return FileSize(bytes: rawBytes(range, pageSize: opening.context.pageSize), stored: stored)
    }

    /// One word a page.
    fileprivate static func rawBytes(_ range: AddressRange, pageSize: UInt64) -> UInt64 { range.size / pageSize * 8 }
}

extension [Extent] {
    /// The parts of them that lie in a range. They must be in address order.
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
    /// Byte `index` of the number in this machine's byte order.
    fileprivate func hostOrder(_ index: Int) -> UInt64 { littleEndian >> UInt64(index * 8) & 0xff }
}
