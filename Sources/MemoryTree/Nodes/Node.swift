import ProcModel
import ProcSource

/// One node of the tree: the kind, and what it is of. Its inode number follows from it.
///
/// A file's bytes depend on the address space and on what its reader may see, so both are part of a file's node; a
/// directory or link carries the process alone, so that a working directory outlives an exec.
package struct Node: Hashable, Sendable {
    package let entry: Entry
    /// nil for what is of no process.
    package let process: ProcessID?
    /// Number of the address space; 0 for directories, links and what has none. `unknownSpace` when the process did not
    /// answer: then opening it finds out.
    package private(set) var space: UInt64 = 0
    /// Whose eyes it is for; nil for directories, links and what is the same for everybody.
    package private(set) var view: ReaderView?
    /// The mapping, the range asked for, or an address as both ends.
    package let range: AddressRange?
    /// The name that is not fixed: of a group in by-name, of a label.
    package let name: [UInt8]

    package init(_ entry: Entry, _ process: ProcessID? = nil, range: AddressRange? = nil, name: [UInt8] = []) {
        self.entry = entry
        self.process = process
        self.range = range
        self.name = name
    }

    package static let root = Node(.root)
    static let unknownSpace = UInt64.max

    /// What the inode number follows from: of a process's directory the process number alone, so that listings, which look
    /// nobody up, show the same one as stat.
    package var inodeSeed: Int {
        entry == .process ? Node(.process, process.map { ProcessID(pid: $0.pid, birth: 0) }).hashValue : hashValue
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

/// What the bytes of a file depend on besides the process: what its reader may ask the kernel, and which facts about
/// frames he may see.
package struct ReaderView: Hashable, Sendable {
    package let decision: AccessDecision
    package let frames: FrameView
}

/// Who asks, and whether an answer is still waited for.
package struct Reader: Sendable {
    package let requester: Requester
    /// Whether the reader has given up; cheap enough to ask after each piece of work.
    package let isInterrupted: @Sendable () -> Bool
    private let staysAway: @Sendable () -> Bool

    /// - Parameter staysAway: the same, asked where work may rest: waits for a moment whether the reader comes back.
    package init(
        _ requester: Requester, isInterrupted: @escaping @Sendable () -> Bool = { false },
        staysAway: (@Sendable () -> Bool)? = nil
    ) {
        self.requester = requester
        self.isInterrupted = isInterrupted
        self.staysAway = staysAway ?? isInterrupted
    }

    /// - Throws: `.interrupted` when the reader has given up.
    package func checkInterrupted() throws(ProcError) {
        if staysAway() { throw .interrupted }
    }
}

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
