import ProcModel
import ProcSource
import ProcText
import Syscalls

extension Tree {
    /// A file, of which no handle is counted: stat asks for sizes this way.
    func openFile(_ node: Node, _ reader: Reader) throws(ProcError) -> OpenFile {
        switch node.entry {
        case .readme: return .frozen(FrozenText(Handbook.readme))
        case .legend: return .frozen(FrozenText(Handbook.legend))
        case .capabilities:
            try requireView(of: node, try view(for: reader))
            let facts = try capabilities.facts(node.view!.decision, root)
            return .frozen(FrozenText(Handbook.capabilities(facts)))
        case .status: return .frozen(FrozenText(statusText()))
        case .processInfo:
            _ = try livingProcess(node.process!, reader)
            try requireView(of: node, try view(of: node.process, for: reader))
            // Made anew each time: the kernel is asked about the link to the executable when that is read.
            return .frozen(FrozenText(try processInfo(node, reader)))
        default: break
        }

        let opened = try opened(of: node, reader)
        guard opened.space == node.space || node.space == Node.unknownSpace else { throw .gone }
        try requireView(of: node, opened.view)
        // What is kept is kept under the number that it has.
        let node = node.of(space: opened.space, view: opened.view)
        switch node.entry {
        case .processSummary:
            return try summary(node, opened, reader) { walk throws(ProcError) in
                try processSummary(opened, walk, reader)
            }
        case .layout: return try openLayout(node, opened, reader)
        case .files: return try openFiles(node, opened, reader)
        case .processPages, .pagesOfRange, .vmaPages, .processRanges, .rangesOfRange, .vmaRanges:
            return try openPageTable(node, opened, reader)
        case .processFlags, .flagsOfRange, .vmaFlags:
            let walk = try walk(opened)
            return try answer(node, reader) { () throws(ProcError) in try flagsText(node, opened, walk, reader) }
        case .processStrip, .vmaStrip:
            let walk = try walk(opened)
            return try answer(node, reader) { () throws(ProcError) in try stripText(node, opened, walk, reader) }
        case .vmaInfo:
            return try answer(node, reader) { () throws(ProcError) in try mappingInfo(node, opened, reader) }
        case .vmaSummary:
            return try summary(node, opened, reader) { walk throws(ProcError) in
                try mappingSummary(node, opened, walk, reader)
            }
        case .vmaMaps:
            return try answer(node, reader) { () throws(ProcError) in
                try mappings(of: opened, holding: node.range, reader).line(of: node.range!)
            }
        case .vmaSmaps:
            return try answer(node, reader) { () throws(ProcError) in Array(try smaps(node.range!, opened, reader)) }
        case .letters: return .record(try lettersFile(node, opened, reader))
        case .rawPagemap, .rawKpageflags, .rawKpagecount, .rawKpagecgroup:
            return .record(try rawFile(node, opened, reader))
        default: throw .absent
        }
    }

    /// An inode is for one view: who has it from another reader, by a handle that stands for a path, must look up anew.
    private func requireView(of node: Node, _ view: ReaderView) throws(ProcError) {
        guard node.view == view else { throw .failed(.staleNFSFileHandle) }
    }

    /// A text of moderate length, shared among those with the same rights who open it within the maximum age. The
    /// kernel has been asked about this reader's right to its source before.
    func answer(
        _ node: Node, _ reader: Reader, make: () throws(ProcError) -> [UInt8]
    ) throws(ProcError) -> OpenFile {
        let bytes = try cache.value(.answer(node), for: reader, bytes: { $0.count + 64 }, make: make)
        return .frozen(FrozenText(bytes))
    }

    /// Rows beyond which a table is not frozen but made as it is read: about 8 MiB of text.
    static let mostFrozenRows = 65_536
    static let typicalRowBytes = PageRows.typicalRowBytes

    /// Whether that many rows are too many to freeze now.
    func mustStream(rows: Int) -> Bool {
        let held = quota.total
        return rows > Self.mostFrozenRows
            || held.bytes - held.spare + rows * Self.typicalRowBytes > max(cache.budget, 1 << 20)
    }
}
