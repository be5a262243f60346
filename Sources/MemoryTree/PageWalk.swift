import ProcModel
import ProcSource
import Syscalls

/// Reads pages: entries from pagemap, and the words of their frames from the files that have one per frame.
///
/// Policy: entries of an extent are read in one call (the kernel itself takes the target's lock anew for each 2 MiB).
/// Frames of neighbouring pages mostly follow each other, so a run of consecutive frame numbers is read in one call per
/// file; nothing is sorted and no gap is bridged, since a frame read for nothing costs as much as one read for use.
struct PageWalk: Sendable {
    let pageMap: PageMap
    let files: FrameFiles
    let context: FrameContext

    /// Which words of a frame are wanted: each costs a read.
    struct Wanted: OptionSet, Sendable {
        let rawValue: UInt8
        static let flags = Wanted(rawValue: 1)
        static let mapCounts = Wanted(rawValue: 2)
        static let cgroups = Wanted(rawValue: 4)
        static let all: Wanted = [.flags, .mapCounts, .cgroups]
    }

    /// Decodes the pages of the extents.
    ///
    /// - Parameter keepsAbsent: keep a place for pages that have lost their entry since the extents were found.
    func read(_ extents: [Extent], _ wanted: Wanted, keepsAbsent: Bool = false) throws(ProcError) -> PageBatch {
        let pageSize = System.pageSize
        let total = extents.reduce(0) { $0 + Int(($1.end - $1.start) / pageSize) }
        var batch = PageBatch()
        batch.addresses = [UInt64](repeating: 0, count: total)
        batch.words = [UInt64](repeating: 0, count: total)
        batch.flags = [UInt64](repeating: 0, count: total)
        batch.mapCounts = [UInt64](repeating: 0, count: total)
        batch.cgroups = [UInt64](repeating: 0, count: total)

        var count = 0
        for extent in extents {
            let pages = Int((extent.end - extent.start) / pageSize)
            let first = count
            try pageMap.entries(at: extent.start, into: &batch.words, first..<(first + pages))
            for index in 0..<pages {
                let word = batch.words[first + index]
                guard keepsAbsent || PageMapEntry(rawValue: word).hasEntry else { continue }
                batch.addresses[count] = extent.start + UInt64(index) * pageSize
                batch.words[count] = word
                if extent.isZero, context.view.frame == .hidden {
                    batch.flags[count] = PageFlags.zeroPage.rawValue
                }
                count += 1
            }
        }
        if count < total { batch.truncate(to: count) }
        if context.view.frame == .known { try readFrames(&batch, wanted) }
        return batch
    }

    private func readFrames(_ batch: inout PageBatch, _ wanted: Wanted) throws(ProcError) {
        var index = 0
        while index < batch.count {
            let entry = PageMapEntry(rawValue: batch.words[index])
            guard entry.isPresent else {
                index += 1
                continue
            }
            let start = index
            index += 1
            while index < batch.count {
                let next = PageMapEntry(rawValue: batch.words[index])
                guard next.isPresent, next.frame == entry.frame &+ UInt64(index - start) else { break }
                index += 1
            }
            let run = start..<index
            if wanted.contains(.flags) { try files.flags.words(of: entry.frame, into: &batch.flags, run) }
            if wanted.contains(.mapCounts) { try readMapCounts(run, &batch) }
            if wanted.contains(.cgroups) { try files.cgroups.words(of: entry.frame, into: &batch.cgroups, run) }
        }
    }
}

extension PageWalk {
    /// Map counts of a run of frames. An anonymous page that pagemap calls mapped exactly once is not asked for, where
    /// a self-test has shown that this kernel means a count of 1 by it: that saves a third of all reading.
    private func readMapCounts(_ run: Range<Int>, _ batch: inout PageBatch) throws(ProcError) {
        var first = run.upperBound
        var last = run.lowerBound
        for index in run {
            if context.exclusiveMeansOne, PageMapEntry(rawValue: batch.words[index]).isExclusiveAnonymous {
                batch.mapCounts[index] = 1
            } else {
                first = min(first, index)
                last = index + 1
            }
        }
        guard first < last else { return }
        let frame = PageMapEntry(rawValue: batch.words[first]).frame
        try files.mapCounts.words(of: frame, into: &batch.mapCounts, first..<last)
    }
}

extension PageBatch {
    fileprivate mutating func truncate(to count: Int) {
        addresses.removeLast(addresses.count - count)
        words.removeLast(words.count - count)
        flags.removeLast(flags.count - count)
        mapCounts.removeLast(mapCounts.count - count)
        cgroups.removeLast(cgroups.count - count)
    }
}
