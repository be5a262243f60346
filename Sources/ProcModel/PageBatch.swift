/// Whether a reader may see one kind of fact about frames.
public enum Visibility: UInt8, Hashable, Sendable {
    /// The source was read.
    case known
    /// The kernel hides it from this reader: printed as `?`.
    case hidden
    /// This kernel has no such source: printed as `-`.
    case missing
}

/// The visibility of each column that describes a frame.
public struct FrameView: Hashable, Sendable {
    /// Frame numbers, and offsets in swap.
    public var frame: Visibility
    /// Words of kpageflags.
    public var flags: Visibility
    /// Words of kpagecount.
    public var mapCount: Visibility
    /// Words of kpagecgroup.
    public var cgroup: Visibility
    /// NUMA nodes.
    public var node: Visibility

    /// - Parameters: as the properties.
    public init(frame: Visibility, flags: Visibility, mapCount: Visibility, cgroup: Visibility, node: Visibility) {
        self.frame = frame
        self.flags = flags
        self.mapCount = mapCount
        self.cgroup = cgroup
        self.node = node
    }

    /// The view of a reader without the right to see frames.
    public static let hidden = FrameView(
        frame: .hidden, flags: .hidden, mapCount: .hidden, cgroup: .hidden, node: .hidden)
}

/// Page table entries, and what the kernel says about their frames: one array per fact, in address order.
/// Pages without an entry are left out. The next batch reuses the memory.
public struct PageBatch: Sendable {
    /// Number of pages; the arrays may be longer.
    public private(set) var count = 0
    /// Virtual addresses.
    public var addresses: [UInt64] = []
    /// Words of /proc/PID/pagemap.
    public var words: [UInt64] = []
    /// Words of /proc/kpageflags; 0 if the page is not present. If they are hidden, only the bit of the zero page may be
    /// set; it then comes from PAGEMAP_SCAN.
    public var flags: [UInt64] = []
    /// Words of /proc/kpagecount; 0 if the page is not present.
    public var mapCounts: [UInt64] = []
    /// Words of /proc/kpagecgroup; 0 if the page is not present.
    public var cgroups: [UInt64] = []
    /// Number of runs of pages with consecutive frames; 0 if the facts about frames were not read.
    public var runs = 0

    /// An empty batch.
    public init() {}

    /// Starts a batch of `total` pages. What is known about frames is 0 until it is filled in.
    public mutating func begin(_ total: Int) {
        if words.count < total {
            let grown = [UInt64](repeating: 0, count: total)
            (addresses, words, flags, mapCounts, cgroups) = (grown, grown, grown, grown, grown)
        } else {
            for index in 0..<total { flags[index] = 0 }
            for index in 0..<total { mapCounts[index] = 0 }
            for index in 0..<total { cgroups[index] = 0 }
        }
        count = total
        runs = 0
    }

    /// Keeps the first `count` pages only.
    public mutating func truncate(to count: Int) { self.count = count }

    /// The page at an index below `count`.
    @inlinable @inline(__always)
    public subscript(index: Int) -> PageRecord {
        PageRecord(
            address: addresses[index], entry: PageMapEntry(rawValue: words[index]),
            rawFlags: PageFlags(rawValue: flags[index]), mapCount: mapCounts[index], cgroup: cgroups[index])
    }
}

/// One page: its page table entry and what the kernel says about its frame.
public struct PageRecord: Sendable {
    /// Virtual address.
    public let address: UInt64
    /// Its word in pagemap.
    public let entry: PageMapEntry
    /// The word of kpageflags, uncorrected.
    public let rawFlags: PageFlags
    /// The word of kpagecount.
    public let mapCount: UInt64
    /// The word of kpagecgroup: an inode number, 0 for none.
    public let cgroup: UInt64

    /// - Parameters: as the properties.
    @inlinable @inline(__always)
    public init(address: UInt64, entry: PageMapEntry, rawFlags: PageFlags, mapCount: UInt64, cgroup: UInt64) {
        self.address = address
        self.entry = entry
        self.rawFlags = rawFlags
        self.mapCount = mapCount
        self.cgroup = cgroup
    }

    /// The state of the entry. The zero page is recognised by the flags of its frame.
    @inlinable @inline(__always)
    public var state: PageState {
        entry.isPresent && rawFlags.contains(.zeroPage) ? .zero : entry.state
    }
}

/// Which NUMA node a frame belongs to, from the memory blocks of sysfs.
public struct NodeMap: Sendable {
    /// A block has `1 << shift` frames.
    public let shift: UInt64
    /// Node of each block, -1 for a hole.
    public let nodes: [Int16]

    /// - Parameters: as the properties.
    public init(shift: UInt64, nodes: [Int16]) {
        self.shift = shift
        self.nodes = nodes
    }

    /// The node, or nil for a frame in no known block.
    @inlinable @inline(__always)
    public func node(of frame: PFN) -> Int16? {
        let block = frame.rawValue >> shift
        guard block < UInt64(nodes.count) else { return nil }
        let node = nodes[Int(block)]
        return node < 0 ? nil : node
    }
}

/// What decoding needs to know about the machine and the reader, besides the words themselves.
public struct FrameContext: Sendable {
    /// What the reader may see.
    public let view: FrameView
    /// NUMA nodes of this machine's frames.
    public let nodes: NodeMap
    /// See `PageFlags.corrected(ksmLies:)`.
    public let ksmLies: Bool
    /// On this kernel, an anonymous page with pagemap's exclusive bit has a map count of 1.
    public let exclusiveMeansOne: Bool
    /// Bytes.
    public let pageSize: UInt64

    /// - Parameters: as the properties.
    public init(
        view: FrameView, nodes: NodeMap, ksmLies: Bool, exclusiveMeansOne: Bool = false, pageSize: UInt64
    ) {
        self.view = view
        self.nodes = nodes
        self.ksmLies = ksmLies
        self.exclusiveMeansOne = exclusiveMeansOne
        self.pageSize = pageSize
    }

    /// The same machine for a reader with another view.
    public func seen(through view: FrameView) -> FrameContext {
        FrameContext(
            view: view, nodes: nodes, ksmLies: ksmLies, exclusiveMeansOne: exclusiveMeansOne && view.mapCount == .known,
            pageSize: pageSize)
    }

    /// The flags to print; none if they are hidden or missing.
    @inlinable @inline(__always)
    public func flags(of page: PageRecord) -> PageFlags {
        view.flags == .known ? page.rawFlags.corrected(ksmLies: ksmLies) : []
    }

    /// The NUMA node; -1 if there is none or it is not visible.
    @inlinable @inline(__always)
    public func node(of page: PageRecord) -> Int16 {
        view.node == .known && page.entry.isPresent ? nodes.node(of: page.entry.frame) ?? -1 : -1
    }
}
