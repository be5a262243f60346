import ProcModel
import ProcSource
import ProcText
import Syscalls

extension Tree {
    /// What stat shows: owners as /proc's, and the size as far as it is known without decoding a page.
    ///
    /// - Parameter wasFound: the node has been looked up for this very request.
    package func attributes(of node: Node, wasFound: Bool = false, for reader: Reader) throws(ProcError) -> Attributes {
        var attributes = Attributes()
        if let id = node.process {
            let process = try wasFound ? processes.process(id) : processToStat(id, reader)
            if !wasFound, node.entry != .process { _ = try processToRead(id, reader) }
            let owner = try node.entry.kind == .file ? process.fileOwner() : process.owner()
            (attributes.user, attributes.group) = (owner.user, owner.group)
        }
        switch node.entry.kind {
        case .directory:
            // A mapping's folder is there as long as the mapping is.
            if let range = node.range, !wasFound { try requireMapping(range, of: node, reader) }
        case .link:
            attributes.size = UInt64(try target(of: node, for: reader).count)
        case .file:
            // What may not be read has no size to show, but is there.
            do { try addSize(of: node, to: &attributes, reader) } catch {
                guard case .refused = error else { throw error }
            }
        }
        return attributes
    }

    private func addSize(of node: Node, to attributes: inout Attributes, _ reader: Reader) throws(ProcError) {
        switch node.entry {
        case .readme, .legend, .capabilities, .processInfo:
            attributes.size = try openFile(node, reader).size
        case .letters where capabilities.usesScan:
            let opened = try opened(of: node, reader)
            guard let walk = try walk(opened) else { return }
            attributes.size = lettersSize(try pageCount(of: node.range!, opened, walk, reader))
        case .rawPagemap, .rawKpageflags, .rawKpagecount, .rawKpagecgroup:
            let opened = try opened(of: node, reader)
            attributes.size = node.range!.size / System.pageSize * 8
            guard let walk = try walk(opened) else { return }
            attributes.storedBytes = try pageCount(of: node.range!, opened, walk, reader) * 8
        default:
            if options.sizesExact { attributes.size = try openFile(node, reader).size }
        }
    }
}

extension PinnedProcess {
    /// User and group that /proc shows as owners of its files: root's where the process is not dumpable.
    fileprivate func fileOwner() throws(ProcError) -> (user: UInt32, group: UInt32) {
        guard let status = try? directory.status("maps") else { return try owner() }
        return (status.user, status.group)
    }
}
