import ProcModel
import ProcSource
import ProcText
import Syscalls

extension Tree {
    /// The first line of a table: what it is of, and of when.
    func title(_ node: Node, _ subject: Subject, _ reader: Reader) throws(ProcError) -> [UInt8] {
        var line = LineWriter()
        line.text("# ")
        switch node.entry.specification.parent {
        case .vma:
            let vma = try mapping(node.range!, of: subject, reader)
            line.range(vma.range)
            line.text(" \(vma.permissions.text) ")
            let name = try MappedObject(vma, memory: subject.memory).name
            if !name.isEmpty {
                line.escaped(name, keepingBlanks: true)
                line.text(" ")
            }
        default:
            if let range = node.range { line.range(range) } else { line.text("all mappings") }
            line.text(" ")
        }
        line.text("of \(subject.process.id.pid) (")
        line.escaped(try command(subject), keepingBlanks: true)
        line.text("), taken ")
        line.time(milliseconds: System.realMilliseconds)
        line.newline()
        return line.bytes
    }

    private func command(_ subject: Subject) throws(ProcError) -> [UInt8] {
        if let memory = subject.memory { return memory.stat.command }
        return try subject.process.command()
    }
}
