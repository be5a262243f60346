import ProcModel
import ProcSource
import ProcText
import Syscalls

extension Content {
    /// The file behind each mapping that has one. Made again for each open: the kernel checks the right to a link when
    /// the link is looked at.
    static let files = memory { opening throws(ProcError) in
        let labels = try opening.tree.labels(of: opening.process, opening.reader)
        let text = try opening.files(labels)
        if opening.tree.mustStream(rows: labels.mappings.list.count) { return .stream(text) }
        return .frozen(FrozenText(try text.readAll(opening.reader)))
    }
}

extension Opening {
    fileprivate func files(_ labels: Labels) throws(ProcError) -> TextStream {
        let header = try title() + FileRow.table.header
        guard let memory = process.memory else { return TextStream(header: header) { _ in nil } }
        let links = try memory.mapFiles()
        let next = Monitor(0)
        let list = zip(labels.mappings.list, labels.objects).filter(\.0.hasFile)
        return TextStream(header: header, mostHeld: { LayoutRows.mostHeld }) { reader throws(ProcError) in
            try reader.checkInterrupted()
            let part = list[next.withLock({ $0 })...].prefix(128)
            guard !part.isEmpty else {
                // A process that has ended has no links either.
                try memory.requireAlive()
                return nil
            }
            var rows = LineWriter(capacity: part.count * 128)
            for (vma, object) in part {
                // A mapping that was unmapped since has no link any more.
                let mode: UInt32
                do throws(ProcError) { mode = try links.mode(String(range: vma.range)) } catch {
                    if error == .absent { continue }
                    throw error
                }
                FileRow.table.append(FileRow(vma: vma, object: object, mode: mode), to: &rows)
            }
            next.withLock { $0 += part.count }
            return rows.bytes
        }
    }
}
