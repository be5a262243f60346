import ProcModel
import ProcSource
import ProcText
import Syscalls

/// One opening of a file about an address space: the node, the process as it is now, and for whom.
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

    /// A text of moderate length, shared among those with the same rights who open it within the maximum age. The
    /// kernel has been asked about this reader's right to its source before.
    func shared(make: () throws(ProcError) -> [UInt8]) throws(ProcError) -> OpenFile {
        let bytes = try tree.cache.value(.answer(node), for: reader, bytes: { $0.count + 64 }, make: make)
        return .frozen(FrozenText(bytes))
    }

    /// A table: shared like that if it is short, else made as it is read. Of several who wait for it, the one who finds out that
    /// it is long goes on with it, and the others begin their own.
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

    /// What is needed to read pages of the process; nil when it has no memory. Here the kernel decides about the right to.
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

    /// What makes sure that all pages there were have been looked at: those of a mapping that is no more come to an end too,
    /// and those of a program that another one has replaced between two opens.
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
    /// A file, of which no handle is counted: stat asks for sizes this way.
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
        // What is kept is kept under the number that it has.
        return Opening(self, node.of(space: opened.space, view: opened.view), part, opened, reader)
    }

    /// An inode is for one view: who has it from another reader, by a handle that stands for a path, must look up anew.
    private func requireView(of node: Node, _ view: ReaderView) throws(ProcError) {
        guard node.view == view else { throw .failed(.staleNFSFileHandle) }
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
