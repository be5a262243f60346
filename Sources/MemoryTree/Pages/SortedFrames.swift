import ProcModel
import ProcSource
import Syscalls

/// The words of the frames of a large window of pages, read in the order of PFNs.
///
/// Policy: where pages were touched in random order, a run of consecutive frames is one page long, and a call for each
/// word costs three times as much as a word in a long run. Sorting helps only over a window about as large as the
/// process: only then are neighbouring frames in it. So the entries of up to `mostPages` pages are read and sorted by
/// frame, and all threads read shares of that order. When rows are made, each page finds its words by its place in the
/// order.
final class SortedFrames: Sendable {
    /// Entries in address order: one part for each piece.
    private let parts: [PageBatch]
    /// The sorted frames, `pagesPerShare` to a share. The words of one frame lie together, because frames are looked up
    /// in random order.
    private let shares: [[FrameFacts]]
    /// The place of each page's frame in that order. The index is the part, then the page in it in the low `indexBits`
    /// bits.
    private let places: [UInt32]

    /// The most pages that are sorted together.
    static let mostPages: UInt64 = 262_144
    /// Bytes held for each page while the window is decoded.
    static let bytesPerPage = 96
    private static let pagesPerShare = 4096
    private static let indexBits = UInt64(PagePlan.pagesPerPiece.trailingZeroBitCount)
    private static let numberBits = UInt64(mostPages.trailingZeroBitCount) + 1

    /// Runs with a smaller mean length are short.
    static let shortRun = 4
    /// Whether sorting has made runs at least twice as long.
    let wasWorthwhile: Bool

    /// Whether runs of frames are short in a sample of the window's pieces.
    static func hasShortRuns(_ pieces: [[Extent]], _ walk: PageWalk) throws(ProcError) -> Bool {
        var batch = PageBatch()
        var (pages, runs) = (0, 0)
        for index in stride(from: 0, to: pieces.count, by: Swift.max(1, pieces.count / 8)) {
            try walk.readEntries(pieces[index], into: &batch)
            runs += batch.frameRuns
            pages += batch.count
        }
        return pages < shortRun * runs
    }

    /// - Parameter pieces: extents of at most `PagePlan.pagesPerPiece` pages each, and of at most `mostPages` in all.
    init(
        _ pieces: [[Extent]], _ walk: PageWalk, _ wanted: PageWalk.Wanted, _ decoders: Decoders, _ reader: Reader
    ) throws(ProcError) {
        let (courtesy, lane) = (walk.pageMap.courtesy, walk.pageMap.file.lane)
        var parts: [PageBatch] = []
        while parts.count < pieces.count {
            courtesy.wait()
            let first = parts.count
            let most = courtesy.isCalledFor ? 1 : decoders.threads * 4
            parts += try decoders.map(Swift.min(most, pieces.count - first), lane, reader) {
                part, _ throws(ProcError) in
                var batch = PageBatch()
                try walk.readEntries(pieces[first + part], into: &batch)
                return batch
            }
        }
        var keys: [UInt64] = []
        for part in parts.indices {
            for index in 0..<parts[part].count {
                let entry = PageMapEntry(rawValue: parts[part].words[index])
                guard entry.isPresent else { continue }
                keys.append(entry.frame.rawValue << Self.numberBits | UInt64(part) << Self.indexBits | UInt64(index))
            }
        }
        try reader.checkInterrupted()
        keys.sortByRadix(from: Self.numberBits)

        let (sorted, entries) = (keys, parts)
        let shareCount = (sorted.count + Self.pagesPerShare - 1) / Self.pagesPerShare
        let runsOfShares = Monitor(0)
        shares = try decoders.map(shareCount, lane, reader) { share, _ throws(ProcError) in
            let first = share * Self.pagesPerShare
            let count = Swift.min(Self.pagesPerShare, sorted.count - first)
            var batch = PageBatch()
            batch.begin(count)
            for index in 0..<count {
                let (part, place) = Self.page(of: sorted[first + index])
                batch.words[index] = entries[part].words[place]
            }
            try walk.readFrames(wanted, into: &batch)
            runsOfShares.withLock { $0 += batch.runs }
            return (0..<count).map {
                FrameFacts(flags: batch.flags[$0], mapCount: batch.mapCounts[$0], cgroup: batch.cgroups[$0])
            }
        }
        var places = [UInt32](repeating: 0, count: parts.count << Int(Self.indexBits))
        for (place, key) in keys.enumerated() { places[Int(key & (1 << Self.numberBits - 1))] = UInt32(place) }
        self.parts = parts
        self.places = places
        wasWorthwhile = runsOfShares.withLock { $0 } * 2 <= parts.reduce(0) { $0 + $1.frameRuns }
    }

    private static func page(of key: UInt64) -> (part: Int, index: Int) {
        let number = key & (1 << numberBits - 1)
        return (Int(number >> indexBits), Int(number & (1 << indexBits - 1)))
    }

    /// Copies the pages of a part, with the words of their frames, into the batch.
    func copy(part: Int, into batch: inout PageBatch) {
        let entries = parts[part]
        batch.begin(entries.count)
        for index in 0..<entries.count {
            batch.addresses[index] = entries.addresses[index]
            batch.words[index] = entries.words[index]
            guard PageMapEntry(rawValue: entries.words[index]).isPresent else { continue }
            let place = Int(places[part << Int(Self.indexBits) | index])
            let facts = shares[place / Self.pagesPerShare][place % Self.pagesPerShare]
            batch.flags[index] = facts.flags
            batch.mapCounts[index] = facts.mapCount
            batch.cgroups[index] = facts.cgroup
        }
    }
}

/// The words of one frame.
private struct FrameFacts: Sendable {
    let flags, mapCount, cgroup: UInt64
}

extension PageBatch {
    /// The number of runs of present pages with consecutive frames.
    fileprivate var frameRuns: Int {
        var runs = 0
        var expected: PFN?
        for index in 0..<count {
            let entry = PageMapEntry(rawValue: words[index])
            guard entry.isPresent else { continue }
            if entry.frame != expected { runs += 1 }
            expected = entry.frame &+ 1
        }
        return runs
    }
}

extension [UInt64] {
    /// Sorts by the bits from `lowest` up, least significant digit first; a comparison sort takes ten times as long.
    mutating func sortByRadix(from lowest: UInt64) {
        let highest = UInt64(UInt64.bitWidth - (self.max() ?? 0).leadingZeroBitCount)
        let digitBits: UInt64 = 12
        var other = self
        var shift = lowest
        while shift < highest {
            var starts = [Int](repeating: 0, count: 1 << digitBits)
            for key in self { starts[Int(key >> shift & (1 << digitBits - 1))] += 1 }
            var next = 0
            for digit in starts.indices { (starts[digit], next) = (next, next + starts[digit]) }
            for key in self {
                let digit = Int(key >> shift & (1 << digitBits - 1))
                other[starts[digit]] = key
                starts[digit] += 1
            }
            swap(&self, &other)
            shift += digitBits
        }
    }
}
