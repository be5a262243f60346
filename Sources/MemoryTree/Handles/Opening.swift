import ProcModel
import ProcSource
import ProcText
import Syscalls

/// What is known when a file about an address space is opened: the node, the process as it is now, and the reader.
package struct Opening: Sendable {
    let tree: Tree
    let node: Node
    let part: AddressSpacePart
    let process: OpenedProcess
    let reader: Reader

    init(_ tree: Tree, _ node: Node, _ part: AddressSpacePart, _ process: OpenedProcess, _ reader: Reader) {
        self.tree = tree
        self.node = node
        self.part = part
        self.process = process
        self.reader = reader
    }

    var context: FrameContext { process.context }

    /// A text of moderate length. Readers with the same rights who open it within the maximum age share it. The kernel
    /// has checked this reader's right to the source before.
    func shared(make: () throws(ProcError) -> [UInt8]) throws(ProcError) -> OpenFile {
        let bytes = try tree.cache.value(.answer(node), for: reader, bytes: { $0.count + 64 }, make: make)
        return .frozen(FrozenText(bytes))
    }

    /// A table. A short one is shared in the same way; a long one is made as it is read. If several readers wait for a
    /// table that turns out to be long, the one who began it keeps it, and the others begin their own.
    ///
    /// - Parameters:
    ///   - isLong: whether it has more rows than may be frozen now.
    ///   - stream: its text.
    func table<Table>(
        begin: () throws(ProcError) -> Table, isLong: (Table) throws(ProcError) -> Bool,
        stream: (Table) throws(ProcError) -> TextStream
    ) throws(ProcError) -> OpenFile {
        var long: Table?
        let text: [UInt8]? = try tree.cache.value(.answer(node), for: reader, bytes: { ($0?.count ?? 0) + 64 }) {
            () throws(ProcError) in
            let table = try begin()
            if try isLong(table) {
                long = table
                return nil
            }
            return try stream(table).readAll(reader)
        }
        if let text { return .frozen(FrozenText(text)) }
        let table = if let long { long } else { try begin() }
        return .stream(try stream(table))
    }

    /// Opens pagemap with the reader's rights: here the kernel decides. nil when the process has no memory.
    func walk() throws(ProcError) -> PageWalk? { try tree.walk(process) }

    /// The addresses that the file is about.
    func pages() throws(ProcError) -> PageSpans {
        switch part {
        case .all: PageSpans(try tree.mappings(of: process, reader).list.map(\.range), isOneMapping: false)
        case .range(let range):
            PageSpans(
                try tree.mappings(of: process, reader).list.compactMap { $0.range.intersection(range) },
                isOneMapping: false)
        case .mapping(let range): PageSpans([range], isOneMapping: true)
        }
    }

    /// Checks at the end of the pages that it is a real end, and throws `.gone` if it is not: the pages also end when
    /// the mapping is unmapped, or the program is replaced between two opens.
    var atEnd: @Sendable (Reader) throws(ProcError) -> Void {
        let (tree, process, part) = (tree, process, part)
        return { reader throws(ProcError) in
            switch part {
            case .mapping(let range): try tree.requireMapped(range, process, reader)
            case .all, .range: try process.memory?.requireAlive()
            }
        }
    }
}

extension Tree {
    /// Opens a file without counting a handle: stat uses it to learn the size.
    func openFile(_ node: Node, _ reader: Reader) throws(ProcError) -> OpenFile {
        switch node.entry.row.content {
        case .directory, .link: throw .absent
        case .everybody(let make): return .frozen(FrozenText(make(self)))
        case .reader(let make):
            let view = try view(for: reader)
            try requireView(of: node, view)
            return .frozen(FrozenText(try make(self, view)))
        case .process(let make):
            let process = try livingProcess(node.process, reader)
            let view = try view(of: process.id, for: reader)
            try requireView(of: node, view)
            return .frozen(FrozenText(try make(self, process, view)))
        case .memory(let open): return try open(try opening(of: node, reader))
        case .mapping(let open):
            guard case .mapping(_, let range) = node.scope else { throw .absent }
            return try open(try opening(of: node, reader), range)
        }
    }

    private func opening(of node: Node, _ reader: Reader) throws(ProcError) -> Opening {
        guard let part = node.scope.part else { throw .absent }
        let opened = try opened(node.process, reader)
        guard opened.space == node.space || node.space == Node.unknownSpace else { throw .gone }
        try requireView(of: node, opened.view)
        // The node is the key in the cache, so it gets the number of the address space that was opened.
        return Opening(self, node.of(space: opened.space, view: opened.view), part, opened, reader)
    }

    /// An inode is for one view. A reader who got it from a reader with another view, as an O_PATH descriptor, must
    /// look the name up again (ESTALE).
    private func requireView(of node: Node, _ view: ReaderView) throws(ProcError) {
        guard node.view == view else { throw .failed(.staleNFSFileHandle) }
    }

    /// A table with more rows is not frozen but made as it is read: about 8 MiB of text.
    static let mostFrozenRows = 65_536
    static let typicalRowBytes = PageRows.typicalRowBytes

    /// Whether that many rows are too many to freeze now.
    func mustStream(rows: Int) -> Bool {
        let held = quota.total
        return rows > Self.mostFrozenRows
            || held.bytes - held.spare + rows * Self.typicalRowBytes > max(cache.budget, 1 << 20)
    }
}
