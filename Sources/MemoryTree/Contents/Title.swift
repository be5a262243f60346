import ProcModel
import ProcSource
import ProcText
import Syscalls

extension Opening {
    /// The first line of a table: what it shows, and when it was taken.
    func title() throws(ProcError) -> [UInt8] {
        var line = LineWriter()
        line.text("# ")
        switch part {
        case .all: line.text("all mappings ")
        case .range(let range):
            line.range(range)
            line.text(" ")
        case .mapping(let range):
            let vma = try tree.mapping(range, of: process, reader)
            line.range(vma.range)
            line.text(" \(vma.permissions.text) ")
            let name = try MappedObject(vma, memory: process.memory).name
            if !name.isEmpty {
                line.escaped(name, keepingBlanks: true)
                line.text(" ")
            }
        }
        line.text("of \(process.process.id.pid) (")
        let command = if let memory = process.memory { memory.stat.command } else { try process.process.command() }
        line.escaped(command, keepingBlanks: true)
        line.text("), taken ")
        line.time(milliseconds: System.realMilliseconds)
        line.newline()
        return line.bytes
    }
}
