import ProcSource
import Syscalls

/// What a reader has open: a file of the tree, with what it holds of what there is for all handles.
package final class Handle: Sendable {
    package let file: OpenFile
    private let charge: Charge

    fileprivate init(_ file: OpenFile, _ charge: Charge) throws(ProcError) {
        self.file = file
        self.charge = charge
        try file.count(in: charge)
    }

    /// Ends the work that goes on for it.
    package func close() {
        if case .stream(let stream) = file { stream.cancel() }
    }
}

/// An open directory: what it held when it was opened.
package final class Listing: Sendable {
    package let node: Node
    package let entries: [(name: [UInt8], node: Node)]
    /// For whom, where some see other names than others.
    let finder: Finder?
    private let charge: Charge

    /// What an entry costs beside its name.
    private static let bytesPerName = 144

    fileprivate init(
        _ node: Node, _ entries: [(name: [UInt8], node: Node)], _ finder: Finder?, _ charge: Charge
    ) throws(ProcError) {
        self.node = node
        self.entries = entries
        self.finder = finder
        self.charge = charge
        try charge.take(bytes: entries.reduce(0) { $0 + $1.name.count + Self.bytesPerName })
    }
}

extension Tree {
    /// Opens a file: its text is made now and frozen, or is made while it is read.
    ///
    /// - Throws: also ENFILE, EMFILE and ENOMEM where there is no room for one more.
    package func open(_ node: Node, for reader: Reader) throws(ProcError) -> Handle {
        let charge = try quota.openHandle(for: reader.requester.user)
        let start = System.monotonicNanoseconds
        let file = try openFile(node, reader)
        statistics.count(open: node, since: start)
        return try Handle(file, charge)
    }

    /// Opens a directory.
    package func openDirectory(_ node: Node, for reader: Reader) throws(ProcError) -> Listing {
        let charge = try quota.openHandle(for: reader.requester.user)
        return try Listing(node, try list(node, for: reader), try finder(reader), charge)
    }
}
