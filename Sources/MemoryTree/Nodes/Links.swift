import ProcModel
import ProcSource

extension Content {
    /// To the reader's own process.
    static let ownProcess = link { tree, _, reader throws(ProcError) in
        guard let pid = try tree.root.group(ofThread: reader.requester.thread) else { throw .absent }
        return Array("\(pid)".utf8)
    }

    /// From by-name to the process.
    static let namedProcess = link { tree, node, reader throws(ProcError) in
        Array("../../\(try tree.livingProcess(node.process, reader).id.pid)".utf8)
    }

    /// To a file of /proc/PID.
    static func kernelFile(_ name: String) -> Content {
        link { tree, node, reader throws(ProcError) in
            Array("\(tree.root.path)/\(try tree.livingProcess(node.process, reader).id.pid)/\(name)".utf8)
        }
    }

    /// To the link of the mapping in map_files.
    static let mapFilesLink = link { tree, node, reader throws(ProcError) in
        guard case .mapping(let process, let range) = node.scope else { throw .absent }
        let opened = try tree.opened(process, reader)
        guard try tree.requireMapping(range, of: opened, reader), let memory = opened.memory else { throw .absent }
        return Array("\(tree.root.path)/\(memory.path("map_files"))/".utf8) + range.name
    }

    /// To the mapping that holds an address.
    static let mappingOfAddress = link { tree, node, reader throws(ProcError) in
        guard case .address(let process, let address) = node.scope else { throw .absent }
        return folder(of: try tree.mapping(holding: address, of: try tree.opened(process, reader), reader))
    }

    /// To the mapping of a label.
    static let mappingOfLabel = link { tree, node, reader throws(ProcError) in
        guard case .label(let process, let label) = node.scope,
            let vma = try tree.labels(of: try tree.opened(process, reader), reader).mapping(labelled: label)
        else { throw .absent }
        return folder(of: vma.range)
    }

    private static func folder(of range: AddressRange) -> [UInt8] { Array("../vma/".utf8) + range.name }
}

extension Tree {
    /// The target of a link.
    package func target(of node: Node, for reader: Reader) throws(ProcError) -> [UInt8] {
        guard case .link(let target) = node.entry.row.content else { throw .absent }
        return try target(self, node, reader)
    }
}

extension AddressRange {
    /// `START-END`, as in map_files.
    var name: [UInt8] { Array(String(range: self).utf8) }
}
