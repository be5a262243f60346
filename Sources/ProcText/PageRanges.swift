import ProcModel

/// Neighbouring pages of one mapping that are equal but for frames that follow each other: a row of `ranges`.
package struct PageRange: Sendable {
    package let start: UInt64
    package private(set) var end: UInt64
    package let state: PageState
    /// Entry of the first page.
    package let entry: PageMapEntry
    package let flags: PageFlags
    package let mapCount: UInt64
    package let cgroup: UInt64
    package let node: Int16

    package init(_ page: PageRecord, _ context: FrameContext) {
        start = page.address
        end = page.address + context.pageSize
        state = page.state
        entry = page.entry
        flags = page.flags(context)
        mapCount = page.mapCount
        cgroup = page.cgroup
        node = context.node(of: page)
    }

    /// Takes the other in if it goes on where this one ends; false if it does not.
    package mutating func merge(_ next: PageRange, _ context: FrameContext) -> Bool {
        guard end == next.start, state == next.state, flags == next.flags, mapCount == next.mapCount,
            cgroup == next.cgroup, node == next.node,
            (entry.rawValue ^ next.entry.rawValue) & PageMapEntry.flagMask == 0,
            frameFollows(next, (end - start) / context.pageSize, context)
        else { return false }
        end = next.end
        return true
    }

    private func frameFollows(_ next: PageRange, _ pages: UInt64, _ context: FrameContext) -> Bool {
        switch state {
        case .absent, .zero, .guard, .marker: true
        case _ where context.view.frame == .hidden: true
        case .present: entry.frame &+ pages == next.entry.frame
        case .swapped, .special:
            entry.swapType == next.entry.swapType && entry.swapOffset &+ pages == next.entry.swapOffset
        }
    }

    /// The pages of a batch, merged as far as they go.
    ///
    /// - Parameter borders: where mappings begin, ascending; nothing merges across them.
    package static func merge(_ batch: PageBatch, borders: [UInt64], _ context: FrameContext) -> [PageRange] {
        guard batch.count > 0 else { return [] }
        var ranges: [PageRange] = []
        var current = PageRange(batch[0], context)
        for index in 1..<batch.count {
            let next = PageRange(batch[index], context)
            if borders.containsSorted(next.start) || !current.merge(next, context) {
                ranges.append(current)
                current = next
            }
        }
        ranges.append(current)
        return ranges
    }
}

extension LineWriter {
    /// A row of `ranges`.
    package mutating func pageRange(_ range: PageRange, _ context: FrameContext) {
        let columns = Table.ranges
        field(columns[0]) { $0.hex(range.start) }
        field(columns[1]) { $0.hex(range.end) }
        field(columns[2]) { $0.decimal((range.end - range.start) / context.pageSize) }
        field(columns[3]) { $0.text(range.state.name) }
        field(columns[4]) { $0.frame(range.state, range.entry, context) }
        frameFacts(
            columns[5...], state: range.state, mapCount: range.mapCount, cgroup: range.cgroup, node: range.node,
            flags: range.flags, entry: range.entry, context)
    }
}

extension [UInt64] {
    /// Whether an ascending array holds the value.
    package func containsSorted(_ value: UInt64) -> Bool {
        let index = firstIndex(notBelow: value)
        return index < count && self[index] == value
    }

    /// Index of the first element of an ascending array that is not below the value.
    package func firstIndex(notBelow value: UInt64) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < value { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
