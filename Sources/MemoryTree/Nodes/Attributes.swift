import ProcModel
import ProcSource
import Syscalls

/// What stat shows of a node.
package struct Attributes: Sendable {
    /// nil: not known before the file is opened.
    package var size: UInt64?
    /// Bytes that are not holes, where they differ from the size.
    package var storedBytes: UInt64?
    package var user: UInt32 = 0
    package var group: UInt32 = 0

    package init() {}
}

extension Tree {
    /// What stat shows: owners as in /proc, and the size as far as it is known without decoding a page.
    ///
    /// - Parameter wasFound: the node was looked up for this same request.
    package func attributes(of node: Node, wasFound: Bool = false, for reader: Reader) throws(ProcError) -> Attributes {
        var attributes = Attributes()
        if let id = node.process {
            let process = try wasFound ? processes.process(id) : processToStat(id, reader)
            if !wasFound, node.entry != .process { _ = try processToRead(id, reader) }
            let owner = try node.kind == .file ? process.fileOwner() : process.owner()
            (attributes.user, attributes.group) = (owner.user, owner.group)
        }
        switch node.kind {
        case .directory:
            // A mapping's directory exists as long as the mapping does.
            if case .mapping(let process, let range) = node.scope, !wasFound {
                try requireMapping(range, of: process, reader)
            }
        case .link:
            attributes.size = UInt64(try target(of: node, for: reader).count)
        case .file:
            // A file that the reader may not read exists, but shows no size.
            do { try addSize(of: node, to: &attributes, reader) } catch {
                guard case .refused = error else { throw error }
            }
        }
        return attributes
    }

    private func addSize(of node: Node, to attributes: inout Attributes, _ reader: Reader) throws(ProcError) {
        switch node.entry.row.size {
        case .exact:
            attributes.size = try openFile(node, reader).size
            return
        case .counted(let byScan, let count):
            guard !byScan || capabilities.usesScan, case .mapping(let process, let range) = node.scope else { break }
            if let size = try count(Opening(self, node, .mapping(range), try opened(process, reader), reader), range) {
                (attributes.size, attributes.storedBytes) = (size.bytes, size.stored)
                return
            }
        case .fromOpenOn: break
        }
        if options.sizesExact { attributes.size = try openFile(node, reader).size }
    }
}

extension PinnedProcess {
    /// User and group that /proc shows as owners of its files: root where the process is not dumpable.
    fileprivate func fileOwner() throws(ProcError) -> (user: UInt32, group: UInt32) {
        guard let status = try? directory.status("maps") else { return try owner() }
        return (status.user, status.group)
    }
}
