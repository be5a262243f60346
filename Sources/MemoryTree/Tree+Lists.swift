import ProcModel
import ProcSource
import ProcText
import Syscalls
import SystemPackage

extension Tree {
    /// `layout`: reads smaps piece by piece and makes a row of each block.
    func layoutStream(_ subject: Subject, _ mappings: Mappings, _ reader: Reader) throws(ProcError) -> TextStream {
        let header = try title(Node(.layout, subject.process.id), subject, reader) + Table.header(Table.layout)
        guard let memory = subject.memory else { return TextStream(header: header) { _ in nil } }
        let blocks = SMapsBlocks(try memory.open("smaps"))
        return TextStream(header: header) { reader throws(ProcError) in
            guard let (text, ranges) = try blocks.next(reader) else { return nil }
            var rows = LineWriter(capacity: ranges.count * 128)
            for range in ranges {
                var cursor = ByteCursor(text, from: range.lowerBound, to: range.upperBound)
                let vma = try ProcError.decode { () throws(DecodeError) in try VMA(line: &cursor) }
                let label = mappings.index(of: vma.range).flatMap { mappings.labels[$0] }
                rows.layout(vma, ResidentSizes(block: cursor.position..<range.upperBound, of: text), label, memory)
            }
            return rows.bytes
        }
    }

    /// `files`: one row for each mapping that has a file.
    func filesStream(_ subject: Subject, _ mappings: Mappings, _ reader: Reader) throws(ProcError) -> TextStream {
        let header = try title(Node(.files, subject.process.id), subject, reader) + Table.header(Table.files)
        guard let memory = subject.memory else { return TextStream(header: header) { _ in nil } }
        let links = try memory.mapFiles()
        let next = Monitor(0)
        let list = mappings.list.filter(\.hasFile)
        return TextStream(header: header) { reader throws(ProcError) in
            try reader.checkInterrupted()
            let part = next.withLock { next in
                let part = list[next...].prefix(512)
                next += part.count
                return part
            }
            guard !part.isEmpty else { return nil }
            var rows = LineWriter(capacity: part.count * 128)
            for vma in part {
                // A mapping that has gone since has no open mode any more.
                let mode: UInt32
                do throws(Errno) { mode = try links.status(String(range: vma.range), followLinks: false).mode } catch {
                    if error == .noSuchFileOrDirectory { continue }
                    throw ProcError(error)
                }
                rows.file(vma, mode: mode, memory)
            }
            return rows.bytes
        }
    }
}

/// Reads smaps to whole blocks. Used by one reader at a time.
private final class SMapsBlocks: @unchecked Sendable {
    // Safety: touched only by the closure of one TextStream, under its lock.
    private let file: File
    private var rest: [UInt8] = []
    private var isAtEnd = false

    private static let piece = 64 << 10

    init(_ file: File) { self.file = file }

    /// Some text and the whole blocks in it; nil at the end.
    func next(_ reader: Reader) throws(ProcError) -> (text: [UInt8], blocks: [Range<Int>])? {
        guard !isAtEnd else { return nil }
        var text = rest
        var lastStart = 0
        repeat {
            try reader.checkInterrupted()
            let part = try ProcError.wrap { () throws(Errno) in try file.readNext(Self.piece) }
            isAtEnd = part.isEmpty
            text += part
        } while !isAtEnd && text.count < Self.piece
        var blocks = smapsBlocks(text)
        if !isAtEnd, let last = blocks.popLast() {
            lastStart = last.lowerBound
            rest = Array(text[lastStart...])
        }
        return blocks.isEmpty && isAtEnd ? nil : (text, blocks)
    }
}

extension LineWriter {
    /// A row of `layout`.
    fileprivate mutating func layout(_ vma: VMA, _ sizes: ResidentSizes, _ label: [UInt8]?, _ memory: ProcessMemory) {
        let columns = Table.layout
        field(columns[0]) { $0.range(vma.range) }
        field(columns[1]) { $0.text(vma.permissions.text) }
        for (column, number) in zip(
            columns[2...], [vma.range.size / 1024, sizes.rss, sizes.pss, sizes.uss, sizes.swap])
        {
            field(column) { $0.decimal(number) }
        }
        field(columns[7]) { text in if let label { text.raw(label) } else { text.byte("-") } }
        name(MappedObject(vma, memory: memory).name)
        newline()
    }

    /// A row of `files`.
    ///
    /// - Parameter mode: of the link in map_files: its owner bits say how the file was opened.
    fileprivate mutating func file(_ vma: VMA, mode: UInt32, _ memory: ProcessMemory) {
        let columns = Table.files
        let object = MappedObject(vma, memory: memory)
        field(columns[0]) { $0.range(vma.range) }
        field(columns[1]) { text in
            for (bit, letter) in [(0o400, "r"), (0o200, "w"), (0o100, "x")] as [(UInt32, String)] {
                text.text(mode & bit != 0 && bit != 0o100 ? letter : "-")
            }
        }
        field(columns[2]) { $0.device(vma) }
        field(columns[3]) { $0.decimal(vma.inode) }
        field(columns[4]) { $0.hex(vma.offset) }
        field(columns[5]) { $0.text(object.isDeleted == true ? "yes" : "no") }
        name(object.name)
        newline()
    }
}
