/// Which facts about frames the reader may see.
public enum Visibility: UInt8, Hashable, Sendable {
    /// The source was read.
    case known
    /// The kernel hides it from this reader: prints `?`.
    case hidden
    /// This kernel has no such source: prints `-`.
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

    /// A view in which each fact is as visible as given.
    public init(frame: Visibility, flags: Visibility, mapCount: Visibility, cgroup: Visibility, node: Visibility) {
        self.frame = frame
        self.flags = flags
        self.mapCount = mapCount
        self.cgroup = cgroup
        self.node = node
    }

    /// What a reader without the right to see frames gets.
    public static let hidden = FrameView(
        frame: .hidden, flags: .hidden, mapCount: .hidden, cgroup: .hidden, node: .hidden)
}

/// Page table entries that were read together with what the kernel says of their frames: one array per fact,
/// in address order. Pages without an entry are left out. Its memory is used again for the next batch.
public struct PageBatch: Sendable {
    /// Pages in it; the arrays may be longer.
    public private(set) var count = 0
    /// Virtual addresses.
    public var addresses: [UInt64] = []
    /// Words of /proc/PID/pagemap.
    public var words: [UInt64] = []
    /// Words of /proc/kpageflags, 0 where not present. Where they are hidden only the bit of the zero page may be set,
    /// which then comes from the scan.
    public var flags: [UInt64] = []
    /// Words of /proc/kpagecount, 0 where not present.
    public var mapCounts: [UInt64] = []
    /// Words of /proc/kpagecgroup, 0 where not present.
    public var cgroups: [UInt64] = []
    /// Runs of pages whose frames follow each other; 0 where frames were not read.
    public var runs = 0

    /// An empty batch.
    public init() {}

    /// Makes room for `total` pages of which nothing is known yet.
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

    /// Drops the pages from number `count` on.
    public mutating func truncate(to count: Int) { self.count = count }

    /// The page of a number below `count`.
    @inlinable @inline(__always)
    public subscript(index: Int) -> PageRecord {
        PageRecord(
            address: addresses[index], entry: PageMapEntry(rawValue: words[index]),
            rawFlags: PageFlags(rawValue: flags[index]), mapCount: mapCounts[index], cgroup: cgroups[index])
    }
}

/// One page: its entry in the page table and what the kernel says of its frame.
public struct PageRecord: Sendable {
    /// Virtual address.
    public let address: UInt64
    /// Its word of pagemap.
    public let entry: PageMapEntry
    /// As kpageflags gives it, uncorrected.
    public let rawFlags: PageFlags
    /// As kpagecount gives it.
    public let mapCount: UInt64
    /// As kpagecgroup gives it: an inode number, 0 for none.
    public let cgroup: UInt64

    /// A page of which these words were read.
    @inlinable @inline(__always)
    public init(address: UInt64, entry: PageMapEntry, rawFlags: PageFlags, mapCount: UInt64, cgroup: UInt64) {
        self.address = address
        self.entry = entry
        self.rawFlags = rawFlags
        self.mapCount = mapCount
        self.cgroup = cgroup
    }

    /// What the entry stands for, the zero page told apart by its frame's flags.
    @inlinable @inline(__always)
    public var state: PageState {
        entry.isPresent && rawFlags.contains(.zeroPage) ? .zero : entry.state
    }
}

/// Which NUMA node a frame belongs to, from the memory blocks of sysfs.
public struct NodeMap: Sendable {
    /// Frames per block are `1 << shift`.
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
    public func node(of frame: UInt64) -> Int16? {
        let block = frame >> shift
        guard block < UInt64(nodes.count) else { return nil }
        let node = nodes[Int(block)]
        return node < 0 ? nil : node
    }
}

/// What decoding needs to know of the machine besides the words themselves.
public struct FrameContext: Sendable {
    /// What the reader may see.
    public let view: FrameView
    /// NUMA nodes of this machine's frames.
    public let nodes: NodeMap
    /// See `PageFlags.corrected(ksmLies:)`.
    public let ksmLies: Bool
    /// An anonymous page that pagemap calls mapped exactly once has a map count of 1.
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

    /// The same machine for other eyes.
    public func seen(through view: FrameView) -> FrameContext {
        FrameContext(
            view: view, nodes: nodes, ksmLies: ksmLies, exclusiveMeansOne: exclusiveMeansOne && view.mapCount == .known,
            pageSize: pageSize)
    }

    /// The flags that print: none where they are hidden or missing.
    @inlinable @inline(__always)
    public func flags(of page: PageRecord) -> PageFlags {
        view.flags == .known ? page.rawFlags.corrected(ksmLies: ksmLies) : []
    }

    /// The NUMA node as a number, -1 for none.
    @inlinable @inline(__always)
    public func node(of page: PageRecord) -> Int16 {
        view.node == .known && page.entry.isPresent ? nodes.node(of: page.entry.frame) ?? -1 : -1
    }
}
