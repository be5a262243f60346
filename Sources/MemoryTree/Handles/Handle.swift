import ProcSource
import Syscalls

/// A file of the tree that a reader has open, and its share of `HandleQuota`.
package final class Handle: Sendable {
    package let file: OpenFile
    private let charge: Charge

    fileprivate init(_ file: OpenFile, _ charge: Charge) throws(ProcError) {
        self.file = file
        self.charge = charge
        try file.count(in: charge)
    }

    /// Stops the work done ahead of the reader.
    package func close() {
        if case .stream(let stream) = file { stream.cancel() }
    }
}

/// An open directory: its entries as they were when it was opened.
package final class Listing: Sendable {
    package let node: Node
    package let entries: [(name: [UInt8], node: Node)]
    /// Whom the entries are for, where hidepid hides processes; else nil.
    let finder: Finder?
    private let charge: Charge

    /// Bytes of an entry, without its name.
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
    /// Opens a file. Its text is made now and kept, or made while it is read.
    ///
    /// - Throws: also ENFILE, EMFILE and ENOMEM, when `HandleQuota` is used up.
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
