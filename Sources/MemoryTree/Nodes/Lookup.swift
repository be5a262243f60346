import ProcModel
import ProcSource
import Syscalls

extension Tree {
    /// The node of a name in a directory.
    ///
    /// - Throws: `.absent` when there is none, `.gone` when the directory's process has ended, `.refused` when the
    ///   kernel refuses.
    package func lookup(_ name: [UInt8], in parent: Node, for reader: Reader) throws(ProcError) -> Node {
        if let entry = parent.entry.child(named: name) { return try fixedChild(entry, in: parent, reader) }
        if let node = nodeOfRange(name, in: parent) { return try ofPresentSpace(node, reader) }
        guard let (entry, names) = parent.entry.namedChild else { throw .absent }
        return Node(entry, try names.find(self, name, parent, reader))
    }

    /// The result of a look-up that must not wait for a process that does not answer: what the name stands for, if that
    /// exists. Opening the file or reading the link will tell. While a look-up waits, a thread that uses the name
    /// cannot even be killed. nil where nothing can be said.
    package func lookupUnanswered(_ name: [UInt8], in parent: Node, for reader: Reader) -> (Node, Attributes)? {
        guard let process = parent.process, let owner = try? processes.held(process)?.owner(),
            var node = candidate(name, in: parent)
        else { return nil }
        if node.kind == .file {
            guard let view = try? view(of: process, for: reader) else { return nil }
            node = node.of(space: Node.unknownSpace, view: view)
        }
        var attributes = Attributes()
        (attributes.user, attributes.group) = (owner.user, owner.group)
        return (node, attributes)
    }

    private func candidate(_ name: [UInt8], in parent: Node) -> Node? {
        if let entry = parent.entry.child(named: name) { return Node(entry, parent.scope) }
        if let node = nodeOfRange(name, in: parent) { return node }
        guard let (entry, names) = parent.entry.namedChild else { return nil }
        return names.guess(name, parent).map { Node(entry, $0) }
    }

    /// The node of a child with a fixed name. It has the scope of its directory.
    private func fixedChild(_ entry: Entry, in parent: Node, _ reader: Reader) throws(ProcError) -> Node {
        let node = Node(entry, parent.scope)
        switch parent.scope {
        case .machine:
            return entry.row.isOfReader ? node.of(space: 0, view: try view(for: reader)) : node
        case .process(let process):
            if node.kind == .file { return try ofPresentSpace(node, reader) }
            _ = try livingProcess(process, reader)
            return node
        case .mapping(let process, let range):
            return try ofMapping(node, process, range, reader)
        case .range, .address, .label, .name, .named:
            throw .absent
        }
    }

    /// A node in a mapping's directory. It exists as long as the mapping does.
    private func ofMapping(
        _ node: Node, _ process: ProcessID, _ range: AddressRange, _ reader: Reader
    ) throws(ProcError) -> Node {
        guard node.kind == .file || node.entry.row.needsFile else {
            try requireMapping(range, of: process, reader)
            return node
        }
        let opened = try opened(process, reader)
        let hasFile = try requireMapping(range, of: opened, reader)
        if node.entry.row.needsFile {
            guard hasFile, let memory = opened.memory else { throw .absent }
            // As in /proc, it is found only with the right to stat the link in map_files.
            _ = try memory.mapFiles().mode(String(range: range))
        }
        return node.kind == .file ? node.of(space: opened.space, view: opened.view) : node
    }

    /// The file, with the number of the present address space. Without the right to see that, the file is found all the
    /// same, as in /proc, but opening it fails.
    private func ofPresentSpace(_ node: Node, _ reader: Reader) throws(ProcError) -> Node {
        guard let process = node.process else { throw .absent }
        _ = try processToRead(process, reader)
        do {
            let opened = try opened(process, reader)
            return node.of(space: opened.space, view: opened.view)
        } catch {
            guard case .refused = error else { throw error }
            return node.of(space: 0, view: try view(of: process, for: reader))
        }
    }

    /// The node of `pages@START-END` and the like; nil for other names.
    private func nodeOfRange(_ name: [UInt8], in parent: Node) -> Node? {
        guard case .process(let process) = parent.scope, let at = name.firstIndex(of: UInt8(ascii: "@")),
            let entry = parent.entry.child(named: Array(name[..<at])), entry.row.isOfRanges,
            let range = AddressRange(parsing: Array(name[(at + 1)...])), range.isAligned(to: root.machine.pageSize)
        else { return nil }
        return Node(entry, .range(process, range))
    }
}
