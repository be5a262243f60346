import ProcModel
import ProcSource
import ProcText
import Syscalls

/// Reads pages: entries from pagemap, and the words of their frames from /proc/kpageflags, kpagecount and kpagecgroup.
///
/// Policy: the entries of an extent are read in one call (the kernel takes the target's lock again for each 2 MiB).
/// Neighbouring pages mostly have consecutive frames, so a run of consecutive PFNs is read in one call per file. Gaps
/// are never read: a frame that is not needed costs as much as one that is. Where runs are short, `SortedFrames` makes
/// them longer.
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

    /// The words that this reader may see.
    private var visible: Wanted {
        var visible: Wanted = []
        if context.view.flags == .known { visible.insert(.flags) }
        if context.view.mapCount == .known { visible.insert(.mapCounts) }
        if context.view.cgroup == .known { visible.insert(.cgroups) }
        return visible
    }

    /// Reads the pages of the extents.
    ///
    /// - Parameter keepsAbsent: also keep the pages that have lost their entry since the extents were found.
    func read(
        _ extents: [Extent], _ wanted: Wanted, keepsAbsent: Bool = false, into batch: inout PageBatch
    ) throws(ProcError) {
        try readEntries(extents, keepsAbsent: keepsAbsent, into: &batch)
        try readFrames(wanted, into: &batch)
    }

    /// The same for a piece of a plan.
    func read(_ piece: PagePiece, _ wanted: Wanted, into batch: inout PageBatch) throws(ProcError) {
        if let sorted = piece.sorted {
            sorted.frames.copy(part: sorted.part, into: &batch)
        } else {
            try read(piece.extents, wanted, into: &batch)
        }
    }

    /// Reads the addresses and words of pagemap.
    func readEntries(
        _ extents: [Extent], keepsAbsent: Bool = false, into batch: inout PageBatch
    ) throws(ProcError) {
        let pageSize = pageMap.pageSize
        batch.begin(extents.reduce(0) { $0 + Int(($1.end - $1.start) / pageSize) })
        var count = 0
        for extent in extents {
            let part = count..<(count + Int((extent.end - extent.start) / pageSize))
            try pageMap.entries(at: extent.start, into: &batch.words, part)
            var address = extent.start
            for index in part {
                let word = batch.words[index]
                if keepsAbsent || PageMapEntry(rawValue: word).hasEntry {
                    batch.addresses[count] = address
                    batch.words[count] = word
                    if extent.isZero, context.view.flags != .known {
                        batch.flags[count] = PageFlags.zeroPage.rawValue
                    }
                    count += 1
                }
                address += pageSize
            }
        }
        batch.truncate(to: count)
    }

    /// Reads the words of the frames of the entries.
    func readFrames(_ wanted: Wanted, into batch: inout PageBatch) throws(ProcError) {
        let wanted = wanted.intersection(visible)
        guard context.view.frame == .known, !wanted.isEmpty else { return }
        let (flags, mapCounts, cgroups) = (files.flags.words, files.mapCounts.words, files.cgroups.words)
        defer { withExtendedLifetime(files) {} }
        var index = 0
        var previous: PFN?
        while index < batch.count {
            let entry = PageMapEntry(rawValue: batch.words[index])
            guard entry.isPresent else {
                index += 1
                previous = nil
                continue
            }
            // Many pages in a row may have the zero page, or one that KSM has merged: copy its words.
            if entry.frame == previous {
                batch.copyFrame(from: index - 1, to: index)
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
            previous = entry.frame &+ UInt64(index - start - 1)
            let run = start..<index
            if wanted.contains(.flags) { try flags.read(entry.frame, into: &batch.flags, run) }
            if wanted.contains(.mapCounts) { try readMapCounts(run, mapCounts, &batch) }
            if wanted.contains(.cgroups) { try cgroups.read(entry.frame, into: &batch.cgroups, run) }
            batch.runs += 1
        }
    }

    /// Reads the map counts of a run of frames. An anonymous page that pagemap marks as exclusively mapped is not read,
    /// if a self-test has shown that this kernel means a map count of 1 by it. That saves a third of all reads.
    private func readMapCounts(
        _ run: Range<Int>, _ mapCounts: FrameWords, _ batch: inout PageBatch
    ) throws(ProcError) {
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
        try mapCounts.read(frame, into: &batch.mapCounts, first..<last)
    }
}

/// Pages that are decoded at one time.
struct PagePiece: Sendable {
    let extents: [Extent]
    /// The words of their frames, if they have been read already.
    var sorted: (frames: SortedFrames, part: Int)?
}

extension PageBatch {
    fileprivate mutating func copyFrame(from: Int, to: Int) {
        flags[to] = flags[from]
        mapCounts[to] = mapCounts[from]
        cgroups[to] = cgroups[from]
    }
}

/// Memory that a thread reuses for each piece it decodes.
struct DecodeScratch {
    var batch = PageBatch()
    private var rows: PageRows?

    /// The batch as rows of `pages`.
    mutating func text(_ context: FrameContext) -> [UInt8] {
        if rows?.view != context.view { rows = PageRows(context) }
        return rows!.text(batch)
    }
}
