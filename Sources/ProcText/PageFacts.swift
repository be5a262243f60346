import ProcModel

/// What the tables say about a page, except its address.
package struct PageFacts: Sendable {
    package let state: PageState
    package let entry: PageMapEntry
    /// The flags to print: those of its frame, if it has one.
    package let flags: PageFlags
    package let mapCount: UInt64
    package let cgroup: UInt64
    /// -1 for none.
    package let node: Int16
    package let view: FrameView

    package init(_ page: PageRecord, _ context: FrameContext) {
        state = page.state
        entry = page.entry
        flags = page.entry.isPresent ? context.flags(of: page) : []
        mapCount = page.mapCount
        cgroup = page.cgroup
        node = context.node(of: page)
        view = context.view
    }

    /// The columns that `pages` and `ranges` have in common.
    static let columns: [Column<PageFacts>] = [
        Column("state", 7, .left, gap: 2, "present, zero, swapped, guard, marker or special") { .word($0.state.name) },
        Column("frame", 8, .left, "PFN, hex; TYPE:OFFSET, decimal, if swapped or special; - for none; ? if hidden") {
            $0.frame
        },
        Column("mapcount", 8, .right, "how many times the frame is mapped (kpagecount)") { $0.mapCountOfFrame },
        Column("cgroup", 6, .right, "inode number of the charged memory cgroup, 0 for none (kpagecgroup)") {
            $0.ofFrame($0.cgroup, $0.view.cgroup)
        },
        Column("node", 4, .right, "NUMA node of the frame") { $0.ofFrame(UInt64(exactly: $0.node), $0.view.node) },
        Column("flags", 0, .left, gap: 0, "names of the flags, first of kpageflags, then of pagemap; - for none") {
            .flags(FlagName.names(kernel: $0.flags, entry: $0.entry))
        },
    ]

    var frame: Cell { Self.frame(state, entry, view.frame) }

    /// Frame number, place in swap, or neither.
    static func frame(_ state: PageState, _ entry: PageMapEntry, _ visibility: Visibility) -> Cell {
        switch state {
        case .absent, .guard, .marker: .absent
        case _ where visibility == .hidden: .hidden
        case .present, .zero: .hex(entry.frame.rawValue)
        case .swapped, .special:
            .swap(type: entry.swapType, offset: entry.swapOffset)
        }
    }

    var mapCountOfFrame: Cell { ofFrame(mapCount, view.mapCount) }

    /// A number about the frame; absent if the page is not present.
    private func ofFrame(_ value: UInt64?, _ visibility: Visibility) -> Cell {
        switch (state, visibility) {
        case (.present, .hidden), (.zero, .hidden): .hidden
        case (.present, .known), (.zero, .known): .number(ifAny: value)
        default: .absent
        }
    }
}

/// A row of `pages`. `PageRows` writes the same text faster.
package struct PageRow: Sendable {
    let address: UInt64
    let facts: PageFacts

    package init(_ page: PageRecord, _ context: FrameContext) {
        address = page.address
        facts = PageFacts(page, context)
    }

    package static let table = Table<PageRow>(
        [Column("address", 12, .left, gap: 2, "virtual address of the page, hex") { .hex($0.address) }]
            + PageFacts.columns.map { $0.of { $0.facts } })
}
