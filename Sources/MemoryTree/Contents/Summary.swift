import ProcModel
import ProcSource
import ProcText

/// What `summary` is made from: counters of smaps or smaps_rollup, and the states counted from pagemap.
struct Summary {
    let smaps: SMaps
    /// nil where pagemap may not be read.
    let counts: EntryCounts?

    init(_ block: [UInt8], _ counts: EntryCounts?) throws(ProcError) {
        smaps = try SMaps(block: block)
        self.counts = counts
    }

    /// The keys that are printed after the kernel's.
    static let ownKeys: [Column<Summary>] =
        [
            .size("Uss", "Private_Clean + Private_Dirty + Private_Hugetlb") { $0.smaps.uss },
            .count("Entries", "pages with a page table entry, the sum of the states below") {
                $0.number(\.entries)
            },
        ]
        + EntryCounts.states.map { key, state in
            .count(key, "pages in state \(state.name)") { $0.number { $0[state] } }
        }

    private func number(_ count: (EntryCounts) -> UInt64) -> Cell { counts.map { .number(count($0)) } ?? .hidden }

    var text: [UInt8] {
        var text = LineWriter()
        Report(smaps.printed.map { $0.of(\Summary.smaps) } + Self.ownKeys).append(self, to: &text)
        return text.bytes
    }
}

extension Content {
    /// The counters of smaps are shown also where pagemap may not be read, as for the reader's own process when it is
    /// not dumpable. Such a text is not kept, so that the right to pagemap is checked at each open.
    static let summary = memory { opening throws(ProcError) in
        let walk: PageWalk?
        do throws(ProcError) { walk = try opening.walk() } catch {
            guard case .refused = error else { throw error }
            return .frozen(FrozenText(try opening.summary(nil)))
        }
        return try opening.shared { () throws(ProcError) in try opening.summary(walk) }
    }
}

extension Opening {
    fileprivate func summary(_ walk: PageWalk?) throws(ProcError) -> [UInt8] {
        if case .mapping(let range) = part {
            return try Summary(Array(try tree.smaps(range, process, reader)), try counts(walk)).text
        }
        guard let memory = process.memory else {
            var text = LineWriter()
            ProcessIdentity.report.append(try ProcessIdentity(process.process), to: &text)
            return text.bytes
        }
        // Another thread reads smaps_rollup while this one counts entries.
        let file = try memory.open("smaps_rollup")
        let rollup = BackgroundReader<[UInt8]>(most: 1, memory.process.lane) { _ throws(ProcError) in
            try memory.readAll(file)
        }
        let first = try rollup.nextIfReady(reader)
        let counts = try counts(walk)
        guard let block = if let first { first } else { try rollup.next(reader) } else { throw .gone }
        return try Summary(block, counts).text
    }

    /// nil where pagemap may not be read.
    private func counts(_ walk: PageWalk?) throws(ProcError) -> EntryCounts? {
        guard let walk else { return nil }
        return try entryCounts(try pages().walkable, walk)
    }
}
