import CLinux
import ProcModel
import Syscalls
import SystemPackage

/// A run of adjacent pages that have an entry in the page table.
package struct Extent: Equatable, Sendable {
    package let start: UInt64
    package internal(set) var end: UInt64
    /// All pages are the zero page. Only PAGEMAP_SCAN tells; otherwise false.
    package let isZero: Bool
    /// All pages are huge. Only PAGEMAP_SCAN tells, if `asksForHuge`; otherwise false.
    package let isHuge: Bool
    /// No page is present: they are swapped, guard, marker or special. Only PAGEMAP_SCAN tells; otherwise false.
    package let isSwapped: Bool

    package init(_ start: UInt64, _ end: UInt64, isZero: Bool = false, isHuge: Bool = false, isSwapped: Bool = false) {
        self.start = start
        self.end = end
        self.isZero = isZero
        self.isHuge = isHuge
        self.isSwapped = isSwapped
    }
}

/// An open /proc/PID/pagemap: which pages have an entry, and the entries.
///
/// Each call does a limited amount of work under the target's mmap lock. A scan covers at most 4096 pages with an entry
/// and 64 GiB of addresses. For a read the kernel takes the lock for 512 entries at a time. `Courtesy` describes what
/// happens if the target needs the lock meanwhile.
package struct PageMap: Sendable {
    package let file: TargetFile
    /// If false, because the kernel has no PAGEMAP_SCAN or it is switched off, pagemap itself is read, including holes.
    package let usesScan: Bool
    /// Whether huge extents are separated from others.
    package let asksForHuge: Bool
    /// Bytes.
    package let pageSize: UInt64
    /// Delays work while the target needs its mmap lock.
    package let courtesy = Courtesy()

    private static let mostPagesPerScan: UInt64 = 4096
    private static let mostSpanPerScan: UInt64 = 64 << 30
    /// As many regions as the kernel collects before it copies them out. With more, a kernel bug makes `walk_end` wrong.
    private static let mostRegions = 512
    private static let entriesPerRead: UInt64 = 4096

    package init(file: TargetFile, usesScan: Bool, asksForHuge: Bool) {
        self.file = file
        pageSize = file.machine.pageSize
        self.usesScan = usesScan
        self.asksForHuge = asksForHuge
    }

    /// Appends the extents in the first part of the range. Returns the address from which to continue, the end of the range
    /// when done.
    ///
    /// An address space that has ended looks empty here: see `requireAlive`.
    package func extents(in range: AddressRange, into extents: inout [Extent]) throws(ProcError) -> UInt64 {
        usesScan ? try scan(range, into: &extents) : try readEntries(range, into: &extents)
    }

    /// Reads the entries of adjacent pages, from an address on, into part of an array.
    ///
    /// - Throws: `.gone` if the address space has ended.
    package func entries(at address: UInt64, into words: inout [UInt64], _ part: Range<Int>) throws(ProcError) {
        let got = try courtesy.call { () throws(ProcError) in
            try file.readWords(at: address / pageSize, into: &words, part)
        }
        guard got == part.count else { throw .gone }
    }

    /// Checks that the address space still exists.
    ///
    /// - Parameter address: of any page in user space.
    /// - Throws: `.gone` if the address space has ended.
    package func requireAlive(_ address: UInt64) throws(ProcError) {
        var word: [UInt64] = [0]
        try entries(at: address, into: &word, 0..<1)
    }

    private func scan(_ range: AddressRange, into extents: inout [Extent]) throws(ProcError) -> UInt64 {
        courtesy.wait()
        let end = min(range.end, range.start &+ Self.mostSpanPerScan)
        var argument = linux_scan()
        argument.size = UInt64(MemoryLayout<linux_scan>.size)
        argument.start = range.start
        argument.end = end
        argument.max_pages = Self.mostPagesPerScan
        argument.category_anyof_mask = ScanCategory.present | ScanCategory.swapped
        argument.return_mask =
            ScanCategory.present | ScanCategory.swapped | ScanCategory.zero | (asksForHuge ? ScanCategory.huge : 0)
        var failure: ProcError?
        let regions = unsafe [linux_scan_region](unsafeUninitializedCapacity: Self.mostRegions) { buffer, count in
            argument.vec = UInt64(UInt(bitPattern: buffer.baseAddress))
            argument.vec_len = UInt64(buffer.count)
            do throws(ProcError) {
                count = try courtesy.call { () throws(ProcError) in try file.scan(&argument) }
            } catch { failure = error }
        }
        if let failure { throw failure }
        for region in regions {
            extents.append(
                Extent(
                    region.start, region.end, isZero: region.categories & ScanCategory.zero != 0,
                    isHuge: region.categories & ScanCategory.huge != 0,
                    isSwapped: region.categories & ScanCategory.present == 0))
        }
        return max(argument.walk_end, regions.last?.end ?? 0, range.start + pageSize)
    }

    private func readEntries(_ range: AddressRange, into extents: inout [Extent]) throws(ProcError) -> UInt64 {
        let count = Int(min(Self.entriesPerRead, range.size / pageSize))
        // A recording may end a mapping in the middle of a page.
        guard count > 0 else { return range.end }
        var words = [UInt64](repeating: 0, count: count)
        try entries(at: range.start, into: &words, 0..<count)
        var first: Int?
        for index in 0...count {
            let hasEntry = index < count && PageMapEntry(rawValue: words[index]).hasEntry
            if hasEntry {
                if first == nil { first = index }
            } else if let start = first {
                extents.append(
                    Extent(range.start + UInt64(start) * pageSize, range.start + UInt64(index) * pageSize))
                first = nil
            }
        }
        return range.start + UInt64(count) * pageSize
    }
}

/// Category bits of PAGEMAP_SCAN.
package enum ScanCategory {
    package static let present: UInt64 = 1 << 3
    package static let swapped: UInt64 = 1 << 4
    package static let zero: UInt64 = 1 << 5
    package static let huge: UInt64 = 1 << 6
}
