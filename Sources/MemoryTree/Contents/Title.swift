import ProcModel
import ProcSource
import ProcText
import Syscalls

extension Tree {
    /// The first line of a table: what it is of, and of when.
    func title(_ node: Node, _ opened: OpenedProcess, _ reader: Reader) throws(ProcError) -> [UInt8] {
        var line = LineWriter()
        line.text("# ")
        switch node.entry.specification.parent {
        case .vma:
            let vma = try mapping(node.range!, of: opened, reader)
            line.range(vma.range)
            line.text(" \(vma.permissions.text) ")
            let name = try MappedObject(vma, memory: opened.memory).name
            if !name.isEmpty {
                line.escaped(name, keepingBlanks: true)
                line.text(" ")
            }
        default:
            if let range = node.range { line.range(range) } else { line.text("all mappings") }
            line.text(" ")
        }
        line.text("of \(opened.process.id.pid) (")
        line.escaped(try command(opened), keepingBlanks: true)
        line.text("), taken ")
        line.time(milliseconds: System.realMilliseconds)
        line.newline()
        return line.bytes
    }

    private func command(_ opened: OpenedProcess) throws(ProcError) -> [UInt8] {
        if let memory = opened.memory { return memory.stat.command }
        return try opened.process.command()
    }
}
