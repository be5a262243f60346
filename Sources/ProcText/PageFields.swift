import ProcModel

/// The fields of a page as `pages`, `ranges` and `letters` print them.
extension LineWriter {
    /// Hex frame number, `TYPE:OFFSET`, `-` where there is none, `?` where it is hidden.
    package mutating func frame(_ state: PageState, _ entry: PageMapEntry, _ context: FrameContext) {
        switch state {
        case .absent, .guard, .marker: byte("-")
        case _ where context.view.frame == .hidden: byte("?")
        case .present, .zero: hex(entry.frame)
        case .swapped, .special:
            decimal(entry.swapType)
            byte(":")
            decimal(entry.swapOffset)
        }
    }

    /// A number that only frames have.
    package mutating func frameNumber(_ value: UInt64?, _ state: PageState, _ visibility: Visibility) {
        switch (state, visibility) {
        case (.present, .hidden), (.zero, .hidden): byte("?")
        case (.present, .known), (.zero, .known):
            if let value { decimal(value) } else { byte("-") }
        default: byte("-")
        }
    }

    /// The columns from `mapcount` on and the newline.
    package mutating func frameFacts(
        _ columns: ArraySlice<Column>, state: PageState, mapCount: UInt64, cgroup: UInt64, node: Int16,
        flags: PageFlags, entry: PageMapEntry, _ context: FrameContext
    ) {
        let first = columns.startIndex
        field(columns[first]) { $0.frameNumber(mapCount, state, context.view.mapCount) }
        field(columns[first + 1]) { $0.frameNumber(cgroup, state, context.view.cgroup) }
        field(columns[first + 2]) { $0.frameNumber(UInt64(exactly: node), state, context.view.node) }
        flagNames(flags, entry)
        newline()
    }

    /// Names joined by commas, `-` for none.
    package mutating func flagNames(_ flags: PageFlags, _ entry: PageMapEntry) {
        let names = FlagName.names(kernel: flags, entry: entry)
        text(names.isEmpty ? "-" : names.joined(separator: ","))
    }
}

extension PageRecord {
    /// The kernel flags that print for this page: those of its frame, if it has one.
    func flags(_ context: FrameContext) -> PageFlags { entry.isPresent ? context.flags(of: self) : [] }
}
