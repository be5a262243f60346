import ProcModel
import ProcSource
import ProcText
import Syscalls

extension Tree {
    /// The node of a name in a directory.
    ///
    /// - Throws: `.absent` when there is none, `.gone` when the directory's process is no more, what the kernel refuses.
    package func lookup(_ name: [UInt8], in parent: Node, for reader: Reader) throws(ProcError) -> Node {
        guard parent.entry.kind == .directory else { throw .absent }
        if let entry = parent.entry.children.first(where: { $0.fixedName == name }) {
            return try fixed(entry, in: parent, reader)
        }
        switch parent.entry {
        case .root:
            guard let pid = parseProcessNumber(name) else { throw .absent }
            return Node(.process, try processToStat(pid, reader).id)
        case .byName:
            guard try isName(name, reader) else { throw .absent }
            return Node(.byNameGroup, name: name)
        case .byNameGroup:
            guard let pid = parseProcessNumber(name), let process = try named(pid, reader), process.name == parent.name
            else { throw .absent }
            return Node(.byNameLink, process.id, name: parent.name)
        case .process:
            guard let node = rangeQuery(name, in: parent) else { throw .absent }
            return try ofPresentSpace(node, reader)
        case .vmaFolder:
            guard let range = AddressRange(parsing: name) else { throw .absent }
            try requireMapping(range, of: parent, reader)
            return Node(.vma, parent.process, range: range)
        case .at:
            guard let address = parseAddress(name) else { throw .absent }
            let link = Node(.atLink, parent.process, range: AddressRange(address, address))
            _ = try target(of: link, for: reader)
            return link
        case .byLabel:
            let opened = try opened(of: parent, reader)
            guard try labels(of: opened, reader).mapping(labelled: name) != nil else { throw .absent }
            return Node(.byLabelLink, parent.process, name: name)
        default:
            throw .absent
        }
    }

    /// What a look-up finds that must not wait for a process which does not answer: what the name stands for if it is there,
    /// which opening it or reading the link will tell. While a look-up waits, whoever walks through that name cannot even
    /// be killed. nil where nothing can be told.
    package func lookupUnanswered(_ name: [UInt8], in parent: Node, for reader: Reader) -> (Node, Attributes)? {
        guard let process = parent.process, let owner = try? processes.held(process)?.owner(),
            var node = candidate(name, in: parent)
        else { return nil }
        if node.entry.kind == .file {
            guard let view = try? view(of: process, for: reader) else { return nil }
            node = node.of(space: Node.unknownSpace, view: view)
        }
        var attributes = Attributes()
        (attributes.user, attributes.group) = (owner.user, owner.group)
        return (node, attributes)
    }

    private func candidate(_ name: [UInt8], in parent: Node) -> Node? {
        if let entry = parent.entry.children.first(where: { $0.fixedName == name }) {
            return Node(entry, parent.process, range: parent.range)
        }
        switch parent.entry {
        case .process: return rangeQuery(name, in: parent)
        case .vmaFolder: return AddressRange(parsing: name).map { Node(.vma, parent.process, range: $0) }
        case .at: return parseAddress(name).map { Node(.atLink, parent.process, range: AddressRange($0, $0)) }
        case .byLabel: return Node(.byLabelLink, parent.process, name: name)
        default: return nil
        }
    }

    /// A child with a fixed name.
    private func fixed(_ entry: Entry, in parent: Node, _ reader: Reader) throws(ProcError) -> Node {
        let node = Node(entry, parent.process, range: parent.range)
        guard parent.process != nil else {
            return entry == .capabilities ? node.of(space: 0, view: try view(for: reader)) : node
        }
        // A mapping's own things are there as long as the mapping is.
        if let range = parent.range {
            guard entry.kind == .file else {
                guard entry == .backing else {
                    try requireMapping(range, of: parent, reader)
                    return node
                }
                let opened = try opened(of: parent, reader)
                guard try requireMapping(range, of: opened, reader), let memory = opened.memory else { throw .absent }
                // As the kernel: whoever may not stat its link is not told of it.
                _ = try memory.mapFiles().mode(String(range: range))
                return node
            }
            let opened = try opened(of: parent, reader)
            try requireMapping(range, of: opened, reader)
            return node.of(space: opened.space, view: opened.view)
        }
        guard entry.kind == .file else {
            _ = try livingProcess(parent.process!, reader)
            return node
        }
        return try ofPresentSpace(node, reader)
    }

    /// The file with the number of the address space; without the right to see that it is there all the same, as in
    /// /proc, and opening it fails.
    private func ofPresentSpace(_ node: Node, _ reader: Reader) throws(ProcError) -> Node {
        _ = try processToRead(node.process!, reader)
        do {
            let opened = try opened(of: node, reader)
            return node.of(space: opened.space, view: opened.view)
        } catch {
            guard case .refused = error else { throw error }
            return node.of(space: 0, view: try view(of: node.process, for: reader))
        }
    }

    /// `pages@START-END` and its like.
    private func rangeQuery(_ name: [UInt8], in parent: Node) -> Node? {
        for entry in parent.entry.children where entry.specification.isLookUpOnly {
            guard case .pattern(let pattern) = entry.specification.name else { continue }
            let prefix = Array(pattern.utf8.prefix { $0 != UInt8(ascii: "@") }) + [UInt8(ascii: "@")]
            guard name.starts(with: prefix), let range = AddressRange(parsing: Array(name[prefix.count...])),
                range.isAligned(to: System.pageSize)
            else { continue }
            return Node(entry, parent.process, range: range)
        }
        return nil
    }

    /// Name and node of everything a directory lists, in its order.
    package func list(_ node: Node, for reader: Reader) throws(ProcError) -> [(name: [UInt8], node: Node)] {
        var list: [(name: [UInt8], node: Node)] = []
        switch node.entry {
        case .root:
            list = try fixedChildren(of: node, space: 0, reader)
            for pid in try numbers(reader) {
                list.append((Array(String(pid).utf8), Node(.process, ProcessID(pid: pid, birth: 0))))
            }
        case .byName:
            var seen: Set<[UInt8]> = []
            for process in try names(reader) where seen.insert(process.name).inserted {
                list.append((process.name, Node(.byNameGroup, name: process.name)))
            }
        case .byNameGroup:
            for process in try names(reader) where process.name == node.name {
                let link = Node(.byNameLink, process.id, name: node.name)
                list.append((Array(String(process.id.pid).utf8), link))
            }
        case .process:
            _ = try livingProcess(node.process!, reader)
            let space: UInt64
            do { space = try opened(of: node, reader).space } catch {
                guard case .refused = error else { throw error }
                space = 0
            }
            list = try fixedChildren(of: node, space: space, reader)
        case .vmaFolder:
            for vma in try mappings(of: try opened(of: node, reader), reader).list {
                list.append((vma.range.name, Node(.vma, node.process, range: vma.range)))
            }
        case .vma:
            let hasFile = try requireMapping(node.range!, of: node, reader)
            // The number only makes the inode numbers that are listed.
            let known = try processes.lastSpace(of: node.process!)
            let space = if let known { known } else { try opened(of: node, reader).space }
            list = try fixedChildren(of: node, space: space, reader).filter { $0.node.entry != .backing || hasFile }
        case .raw:
            let opened = try opened(of: node, reader)
            try requireMapping(node.range!, of: opened, reader)
            list = try fixedChildren(of: node, space: opened.space, reader)
        case .at:
            _ = try livingProcess(node.process!, reader)
        case .byLabel:
            for label in try labels(of: try opened(of: node, reader), reader).labels {
                if let label { list.append((label, Node(.byLabelLink, node.process, name: label))) }
            }
        default:
            throw .absent
        }
        return list
    }

    /// The right to a listing once more: a handle may have been passed on, and as with a directory of /proc each reading of
    /// it is by the rights of who reads.
    package func require(_ listing: Listing, for reader: Reader) throws(ProcError) {
        guard access.tellsReadersApart else { return }
        let node = listing.node
        switch node.entry {
        case .root, .byName, .byNameGroup:
            guard try finder(reader) == listing.finder else { throw .refused(.permissionDenied) }
        case .process, .at: _ = try processToRead(node.process!, reader)
        default: _ = try opened(of: node, reader)
        }
    }

    private func fixedChildren(
        of node: Node, space: UInt64, _ reader: Reader
    ) throws(ProcError) -> [(name: [UInt8], node: Node)] {
        let view = try view(of: node.process, for: reader)
        return node.entry.children.compactMap { entry in
            guard let name = entry.fixedName, !entry.specification.isLookUpOnly else { return nil }
            let child = Node(entry, node.process, range: node.range)
            let isOfView = entry.kind == .file && node.process != nil || entry == .capabilities
            return (name, isOfView ? child.of(space: space, view: view) : child)
        }
    }

    /// Where a link leads: inside the tree relative to the link, else to a file of /proc.
    package func target(of node: Node, for reader: Reader) throws(ProcError) -> [UInt8] {
        func kernel(_ name: String) throws(ProcError) -> [UInt8] {
            Array("\(root.path)/\(try livingProcess(node.process!, reader).id.pid)/\(name)".utf8)
        }
        func mapping(_ vma: VMA?) throws(ProcError) -> [UInt8] {
            guard let vma else { throw .absent }
            return Array("../vma/".utf8) + vma.range.name
        }
        switch node.entry {
        case .selfLink:
            guard let pid = try root.group(ofThread: reader.requester.thread) else { throw .absent }
            return Array(String(pid).utf8)
        case .byNameLink: return Array("../../\(try livingProcess(node.process!, reader).id.pid)".utf8)
        case .mapsLink: return try kernel("maps")
        case .smapsLink: return try kernel("smaps")
        case .smapsRollupLink: return try kernel("smaps_rollup")
        case .pagemapLink: return try kernel("pagemap")
        case .mapFilesLink: return try kernel("map_files")
        case .backing:
            let opened = try opened(of: node, reader)
            guard try requireMapping(node.range!, of: opened, reader) else { throw .absent }
            return Array("\(root.path)/\(opened.memory!.path("map_files"))/".utf8) + node.range!.name
        case .atLink:
            let opened = try opened(of: node, reader)
            let address = node.range!.start
            if capabilities.hasQuery, address >> 63 == 0, let maps = opened.memory?.maps {
                guard let range = try VMAQuery.mapping(holding: address, in: maps)?.range else { throw .absent }
                return Array("../vma/".utf8) + range.name
            }
            return try mapping(try mappings(of: opened, reader).mapping(holding: address))
        case .byLabelLink:
            return try mapping(try labels(of: try opened(of: node, reader), reader).mapping(labelled: node.name))
        default:
            throw .absent
        }
    }
}

extension AddressRange {
    /// As in map_files.
    var name: [UInt8] { Array(String(range: self).utf8) }
}
