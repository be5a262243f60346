import ProcModel
import ProcSource

extension Tree {
    /// Name and node of everything a directory lists, in its order.
    package func list(_ node: Node, for reader: Reader) throws(ProcError) -> [(name: [UInt8], node: Node)] {
        guard node.kind == .directory else { throw .absent }
        var list = try fixedChildren(of: node, reader)
        if let (entry, names) = node.entry.namedChild, let things = try names.list?(self, node, reader) {
            for thing in things { list.append((thing.name, Node(entry, thing.scope))) }
        }
        return list
    }

    private func fixedChildren(of node: Node, _ reader: Reader) throws(ProcError) -> [(name: [UInt8], node: Node)] {
        let space: UInt64
        var hasFile = false
        switch node.scope {
        case .machine:
            guard !node.entry.children.isEmpty else { return [] }
            space = 0
        case .process(let process):
            guard case .directory(.process) = node.entry.row.content else { return [] }
            _ = try livingProcess(process, reader)
            guard !node.entry.children.isEmpty else { return [] }
            do { space = try opened(process, reader).space } catch {
                guard case .refused = error else { throw error }
                space = 0
            }
        case .mapping(let process, let range):
            hasFile = try requireMapping(range, of: process, reader)
            // The number is used only for the inode numbers in the listing.
            let known = try processes.lastSpace(of: process)
            space = if let known { known } else { try opened(process, reader).space }
        case .range, .address, .label, .name, .named: return []
        }
        let view = try view(of: node.process, for: reader)
        return node.entry.children.compactMap { entry in
            guard let name = entry.fixedName, !entry.row.isLookUpOnly, hasFile || !entry.row.needsFile else {
                return nil
            }
            let child = Node(entry, node.scope)
            return (name, entry.row.isOfReader ? child.of(space: space, view: view) : child)
        }
    }

    /// Checks the right to a listing again. An open directory may have been passed to another process; as in /proc,
    /// each read of it needs the right of the process that reads.
    package func require(_ listing: Listing, for reader: Reader) throws(ProcError) {
        guard access.tellsReadersApart, case .directory(let asking) = listing.node.entry.row.content else { return }
        switch (asking, listing.node.process) {
        case (.finding, _):
            guard try finder(reader) == listing.finder else { throw .refused(.permissionDenied) }
        case (.process, let process?): _ = try processToRead(process, reader)
        case (.memory, let process): _ = try opened(process, reader)
        case (.process, nil): throw .absent
        }
    }
}
