/// Which facts about frames the reader may see.
package enum Visibility: UInt8, Hashable, Sendable {
    /// The source was read.
    case known
    /// The kernel hides it from this reader: prints `?`.
    case hidden
    /// This kernel has no such source: prints `-`.
    case missing
}

/// The visibility of each column that describes a frame.
package struct FrameView: Hashable, Sendable {
    package var frame: Visibility
    package var flags: Visibility
    package var mapCount: Visibility
    package var cgroup: Visibility
    package var node: Visibility

    package init(frame: Visibility, flags: Visibility, mapCount: Visibility, cgroup: Visibility, node: Visibility) {
        self.frame = frame
        self.flags = flags
        self.mapCount = mapCount
        self.cgroup = cgroup
        self.node = node
    }

    /// What a reader without the right to see frames gets.
    package static let hidden = FrameView(
        frame: .hidden, flags: .hidden, mapCount: .hidden, cgroup: .hidden, node: .hidden)
}

/// Page table entries that were read together with what the kernel says of their frames: one array per fact,
/// all of the same length, in address order. Pages without an entry are left out.
package struct PageBatch: Sendable {
    /// Virtual addresses.
    package var addresses: [UInt64]
    /// Words of /proc/PID/pagemap.
    package var words: [UInt64]
    /// Words of /proc/kpageflags, 0 where not present. Where they are hidden only the bit of the zero page may be set,
    /// which then comes from the scan.
    package var flags: [UInt64]
    package var mapCounts: [UInt64]
    package var cgroups: [UInt64]

    package init(capacity: Int = 0) {
        addresses = []
        words = []
        flags = []
        mapCounts = []
        cgroups = []
        for path in [\PageBatch.addresses, \.words, \.flags, \.mapCounts, \.cgroups] {
            self[keyPath: path].reserveCapacity(capacity)
        }
    }

    package var count: Int { addresses.count }

    @inline(__always)
    package subscript(index: Int) -> PageRecord {
        PageRecord(
            address: addresses[index], entry: PageMapEntry(rawValue: words[index]),
            rawFlags: PageFlags(rawValue: flags[index]), mapCount: mapCounts[index], cgroup: cgroups[index])
    }
}

/// One page: its entry in the page table and what the kernel says of its frame.
package struct PageRecord: Sendable {
    package let address: UInt64
    package let entry: PageMapEntry
    /// As kpageflags gives it, uncorrected.
    package let rawFlags: PageFlags
    package let mapCount: UInt64
    package let cgroup: UInt64

    @inline(__always)
    package init(address: UInt64, entry: PageMapEntry, rawFlags: PageFlags, mapCount: UInt64, cgroup: UInt64) {
        self.address = address
        self.entry = entry
        self.rawFlags = rawFlags
        self.mapCount = mapCount
        self.cgroup = cgroup
    }

    @inline(__always)
    package var state: PageState {
        entry.isPresent && rawFlags.contains(.zeroPage) ? .zero : entry.state
    }
}

/// Which NUMA node a frame belongs to, from the memory blocks of sysfs.
package struct NodeMap: Sendable {
    /// Frames per block are `1 << shift`.
    package let shift: UInt64
    /// Node of each block, -1 for a hole.
    package let nodes: [Int16]

    package init(shift: UInt64, nodes: [Int16]) {
        self.shift = shift
        self.nodes = nodes
    }

    /// The node, or nil for a frame in no known block.
    @inline(__always)
    package func node(of frame: UInt64) -> Int16? {
        let block = frame >> shift
        guard block < UInt64(nodes.count) else { return nil }
        let node = nodes[Int(block)]
        return node < 0 ? nil : node
    }
}

/// What decoding needs to know of the machine besides the words themselves.
package struct FrameContext: Sendable {
    package let view: FrameView
    package let nodes: NodeMap
    /// See `PageFlags.corrected(ksmLies:)`.
    package let ksmLies: Bool
    /// An anonymous page that pagemap calls mapped exactly once has a map count of 1.
    package let exclusiveMeansOne: Bool
    /// Bytes.
    package let pageSize: UInt64

    package init(
        view: FrameView, nodes: NodeMap, ksmLies: Bool, exclusiveMeansOne: Bool = false, pageSize: UInt64
    ) {
        self.view = view
        self.nodes = nodes
        self.ksmLies = ksmLies
        self.exclusiveMeansOne = exclusiveMeansOne
        self.pageSize = pageSize
    }

    /// The flags that print: none where they are hidden or missing.
    @inline(__always)
    package func flags(of page: PageRecord) -> PageFlags {
        view.flags == .known ? page.rawFlags.corrected(ksmLies: ksmLies) : []
    }

    /// The NUMA node as a number, -1 for none.
    @inline(__always)
    package func node(of page: PageRecord) -> Int16 {
        view.node == .known && page.entry.isPresent ? nodes.node(of: page.entry.frame) ?? -1 : -1
    }
}
