import ProcSource
import ProcText
import Syscalls

/// What the FUSE server needs from the tree besides nodes and handles.
extension Tree {
    /// Bytes of the longest name that can be looked up.
    package static var longestName: Int { maximumNameLength }

    /// Bytes that one read should ask for at least (st_blksize).
    package static var blockSize: Int { Int(System.pageSize) }

    /// Counts a request by the name of its operation, for the file `status`.
    package func countRequest(_ operation: String) { statistics.count(request: operation) }

    /// Whether two readers may get different answers.
    package var tellsReadersApart: Bool { access.tellsReadersApart }

    /// Whether two requests of one thread come with the same rights.
    package func isSameReader(_ first: Requester, _ second: Requester) -> Bool { access.isSameReader(first, second) }

    /// How many threads may work on requests; none of them is busy yet. A request needs up to eight descriptors, and
    /// may have to wait for the memory lock of its process. A quarter of the descriptors is for requests.
    package var workers: BusyThreads { BusyThreads(most: min(256, max(8, options.descriptors / 32))) }
}

/// How many threads are busy, in all and for each user, within the bounds of `Quota`.
package struct BusyThreads: Sendable {
    private var quota: Quota

    package init(most: Int) { quota = Quota(most: most) }

    /// How many there may be.
    package var most: Int { quota.most }

    package var total: Int { quota.total }

    /// Whether one more may be busy for the user.
    package func hasRoom(for user: UInt32) -> Bool { quota.refusal(of: 1, to: user) == nil }

    package mutating func begin(for user: UInt32) { quota.take(1, for: user) }

    package mutating func end(for user: UInt32) { quota.giveBack(1, of: user) }
}
