import ProcModel
import ProcSource

/// One node of the tree: an entry and its scope. The inode number follows from the node.
///
/// A file's bytes depend on the address space and on what its reader may see, so both are part of a file's node. The
/// node of a directory or link has only the scope, so that a working directory stays valid after an exec.
package struct Node: Hashable, Sendable {
    package let entry: Entry
    package let scope: Scope
    /// Number of the address space; 0 for directories, links and files without one. `unknownSpace` when the process did
    /// not answer: opening the file finds out.
    package private(set) var space: UInt64 = 0
    /// What its reader may see; nil for directories, links and files that are the same for everybody.
    package private(set) var view: ReaderView?

    package init(_ entry: Entry, _ scope: Scope) {
        self.entry = entry
        self.scope = scope
    }

    package static let root = Node(.root, .machine)
    static let unknownSpace = UInt64.max

    package var kind: Row.Kind { entry.row.kind }

    /// nil for a node that belongs to no process.
    package var process: ProcessID? { scope.process }

    /// The inode number is made from this hash. For the directory of a process it depends on the process number alone:
    /// a listing, which looks up no process, then shows the same inode number as stat.
    package var inodeSeed: Int {
        guard entry == .process, let process = scope.process else { return hashValue }
        return Node(.process, .process(ProcessID(pid: process.pid, birth: 0))).hashValue
    }

    /// The generation of the inode number. It tells the kernel that the number now stands for another node, when a
    /// process number is reused after the first process was forgotten here.
    package var generation: UInt64 { UInt64(bitPattern: Int64(hashValue)) >> 1 | 1 }

    /// The node of a file with an address space and what its reader may see.
    func of(space: UInt64, view: ReaderView) -> Node {
        var node = self
        node.space = space
        node.view = view
        return node
    }
}
