import ProcModel
import ProcSource
import ProcText
import Syscalls
import SystemPackage

extension Tree {
    /// `layout`: one row for each mapping.
    func openLayout(_ node: Node, _ opened: OpenedProcess, _ reader: Reader) throws(ProcError) -> OpenFile {
        let header = try title(node, opened, reader) + Table.header(Table.layout)
        guard let memory = opened.memory else { return .frozen(FrozenText(header)) }
        func rows() throws(ProcError) -> LayoutRows {
            try LayoutRows(memory, decoders) { reader throws(ProcError) in try self.labels(of: opened, reader) }
        }
        func stream(_ rows: LayoutRows) -> TextStream {
            TextStream(header: header, mostHeld: { Self.mostHeldByLists }, end: rows.cancel) {
                reader throws(ProcError) in try rows.next(reader)
            }
        }
        var long: LayoutRows?
        let text: [UInt8]? = try cache.value(.answer(node), for: reader, bytes: { ($0?.count ?? 0) + 64 }) {
            () throws(ProcError) in
            let rows = try rows()
            if mustStream(rows: try rows.count(reader)) {
                long = rows
                return nil
            }
            return try stream(rows).readAll(reader)
        }
        if let text { return .frozen(FrozenText(text)) }
        if long == nil { long = try rows() }
        return .stream(stream(long!))
    }

    /// `files`: one row for each mapping that has a file.
    func openFiles(_ node: Node, _ opened: OpenedProcess, _ reader: Reader) throws(ProcError) -> OpenFile {
        let labels = try labels(of: opened, reader)
        if mustStream(rows: labels.mappings.list.count) { return .stream(try filesStream(opened, labels, reader)) }
        // Made anew each time: the kernel checks the right to a link when that is looked at.
        return .frozen(FrozenText(try filesStream(opened, labels, reader).readAll(reader)))
    }

    /// Bytes that a `layout` or `files` which is made while it is read may hold: the list of mappings with their names,
    /// and rows ahead of the reader. It also holds up to three descriptors.
    private static let mostHeldByLists = 16 << 20

    private func filesStream(
        _ opened: OpenedProcess, _ labels: Labels, _ reader: Reader
    ) throws(ProcError) -> TextStream {
        let header = try title(Node(.files, opened.process.id), opened, reader) + Table.header(Table.files)
        guard let memory = opened.memory else { return TextStream(header: header) { _ in nil } }
        let links = try memory.mapFiles()
        let next = Monitor(0)
        let list = zip(labels.mappings.list, labels.objects).filter(\.0.hasFile)
        return TextStream(header: header, mostHeld: { Self.mostHeldByLists }) { reader throws(ProcError) in
            try reader.checkInterrupted()
            let part = list[next.withLock({ $0 })...].prefix(128)
            guard !part.isEmpty else {
                // Links of a process that has ended are not there either.
                try memory.requireAlive()
                return nil
            }
            var rows = LineWriter(capacity: part.count * 128)
            for (vma, object) in part {
                // A mapping that has gone since has no open mode any more.
                let mode: UInt32
                do throws(ProcError) { mode = try links.mode(String(range: vma.range)) } catch {
                    if error == .absent { continue }
                    throw error
                }
                rows.file(vma, object, mode: mode)
            }
            next.withLock { $0 += part.count }
            return rows.bytes
        }
    }
}

extension LineWriter {
    /// A row of `files`.
    ///
    /// - Parameter mode: of the link in map_files: its owner bits say how the file was opened.
    fileprivate mutating func file(_ vma: VMA, _ object: MappedObject, mode: UInt32) {
        let columns = Table.files
        field(columns[0]) { $0.range(vma.range) }
        field(columns[1]) { text in
            for (bit, letter) in [(0o400, "r"), (0o200, "w"), (0o100, "x")] as [(UInt32, String)] {
                text.text(mode & bit != 0 && bit != 0o100 ? letter : "-")
            }
        }
        field(columns[2]) { $0.device(vma) }
        field(columns[3]) { $0.decimal(vma.inode) }
        field(columns[4]) { $0.hex(vma.offset) }
        field(columns[5]) { $0.text(object.isDeleted.map { $0 ? "yes" : "no" } ?? "-") }
        name(object.name)
        newline()
    }
}
