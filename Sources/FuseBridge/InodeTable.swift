import MemoryTree
import ProcSource
import Syscalls

/// The nodes that the kernel knows, by inode number. The number follows from the node, so the same node gets the same
/// number again.
final class InodeTable: Sendable {
    struct Inode: Sendable {
        let node: Node
        /// The kernel's lookup count: how many replies named the node, less what FORGET took back.
        var lookups: UInt64
        /// The attributes at the last look-up. An open file still shows them when its process is gone.
        var attributes = Attributes()
        /// Bytes of the newest text; nil before the first.
        var size: UInt64?
        /// How many handles are open.
        var handles = 0
        /// Milliseconds since 1970: when it was first looked up, and when its newest text was made.
        let born: UInt64
        var modified: UInt64
    }

    private let inodes = Monitor([InodeNumber: Inode]())

    init() {
        let now = System.realMilliseconds
        inodes.withLock { $0[.root] = Inode(node: .root, lookups: 1, born: now, modified: now) }
    }

    subscript(number: InodeNumber) -> Inode? { inodes.withLock { $0[number] } }

    /// Counts one more look-up of the node.
    func remember(_ node: Node, _ attributes: Attributes) -> (number: InodeNumber, inode: Inode) {
        inodes.withLock { inodes in
            let number = Self.number(of: node, in: inodes)
            var inode =
                inodes[number]
                ?? {
                    let now = System.realMilliseconds
                    return Inode(node: node, lookups: 0, born: now, modified: now)
                }()
            inode.lookups += 1
            inode.attributes = attributes
            inodes[number] = inode
            return (number, inode)
        }
    }

    /// The number the node has or would get.
    func number(of node: Node) -> InodeNumber { inodes.withLock { Self.number(of: node, in: $0) } }

    func forget(_ number: InodeNumber, _ lookups: UInt64) {
        let forgotten: Inode? = inodes.withLock { inodes in
            guard let inode = inodes[number], number != .root else { return nil }
            guard inode.lookups <= lookups else {
                inodes[number]?.lookups -= lookups
                return nil
            }
            return inodes.removeValue(forKey: number)
        }
        // Freed after the lock.
        _ = forgotten
    }

    /// Drops the nodes of processes that have ended: the kernel would remember them for as long as it has memory. A
    /// node with open files stays, because their readers may still ask about it.
    func forgetEnded(_ isAlive: (ProcessID) -> Bool) {
        let processes = inodes.withLock { Set($0.values.compactMap(\.node.process)) }
        let ended = processes.filter { !isAlive($0) }
        let left = inodes.withLock { inodes in
            let all = inodes
            // A new dictionary: the old one would keep its memory.
            inodes = inodes.filter { _, inode in
                inode.handles > 0 || inode.node.process.map { !ended.contains($0) } ?? true
            }
            return all
        }
        // Freed after the lock.
        _ = left
    }

    /// Notes one more handle, and the length of the newest text.
    func opened(_ number: InodeNumber, size: UInt64?) {
        inodes.withLock { inodes in
            inodes[number]?.handles += 1
            inodes[number]?.size = size
            inodes[number]?.modified = System.realMilliseconds
        }
    }

    func closed(_ number: InodeNumber) { inodes.withLock { $0[number]?.handles -= 1 } }

    private static func number(of node: Node, in inodes: [InodeNumber: Inode]) -> InodeNumber {
        if node == .root { return .root }
        // 63 bits, and none of the small numbers that tools treat as special. If another node has the number, the next
        // one is tried.
        var number = UInt64(bitPattern: Int64(node.inodeSeed)) >> 1 | 1 << 32
        while let other = inodes[InodeNumber(rawValue: number)], other.node != node { number = number &+ 1 | 1 << 32 }
        return InodeNumber(rawValue: number)
    }
}
