import ProcModel
import ProcSource

/// One node of the tree: the entry, and what it is of. Its inode number follows from it.
///
/// A file's bytes depend on the address space and on what its reader may see, so both are part of a file's node; a
/// directory or link carries the process alone, so that a working directory outlives an exec.
package struct Node: Hashable, Sendable {
    package let entry: Entry
    package let scope: Scope
    /// Number of the address space; 0 for directories, links and what has none. `unknownSpace` when the process did not
    /// answer: then opening it finds out.
    package private(set) var space: UInt64 = 0
    /// Whose eyes it is for; nil for directories, links and what is the same for everybody.
    package private(set) var view: ReaderView?

    package init(_ entry: Entry, _ scope: Scope) {
        self.entry = entry
        self.scope = scope
    }

    package static let root = Node(.root, .machine)
    static let unknownSpace = UInt64.max

    package var kind: Row.Kind { entry.row.kind }

    /// nil for what is of no process.
    package var process: ProcessID? { scope.process }

    /// What the inode number follows from: of a process's directory the process number alone, so that listings, which look
    /// nobody up, show the same one as stat.
    package var inodeSeed: Int {
        guard entry == .process, let process = scope.process else { return hashValue }
        return Node(.process, .process(ProcessID(pid: process.pid, birth: 0))).hashValue
    }

    /// Tells the kernel that an inode number stands for another node than before: that of a process whose number was used
    /// again after the first one was forgotten here.
    package var generation: UInt64 { UInt64(bitPattern: Int64(hashValue)) >> 1 | 1 }

    /// The node of a file that shows an address space to somebody.
    func of(space: UInt64, view: ReaderView) -> Node {
        var node = self
        node.space = space
        node.view = view
        return node
    }
}
