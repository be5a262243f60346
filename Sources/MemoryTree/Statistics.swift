import ProcSource
import Syscalls

/// What the daemon counts about itself, for the file `status`.
package final class Statistics: Sendable {
    struct Opens: Sendable {
        var count: UInt64 = 0
        var nanoseconds: UInt64 = 0
    }

    private struct Key: Hashable {
        let entry: Entry
        let scope: Scope.Kind
    }

    private struct State {
        var requests: [String: UInt64] = [:]
        var opens: [Key: Opens] = [:]
    }

    private let state = Monitor(State())
    let start = System.monotonicNanoseconds

    /// Counts a request of the kernel by the name of its operation.
    package func count(request name: String) { state.withLock { $0.requests[name, default: 0] += 1 } }

    func count(open node: Node, since start: UInt64) {
        let time = System.monotonicNanoseconds - start
        state.withLock { state in
            state.opens[Key(entry: node.entry, scope: node.scope.kind), default: Opens()].count += 1
            state.opens[Key(entry: node.entry, scope: node.scope.kind), default: Opens()].nanoseconds += time
        }
    }

    var requests: [(name: String, count: UInt64)] {
        state.withLock { $0.requests }.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    var opens: [(place: Place, opens: Opens)] {
        let opens = state.withLock { $0.opens }
        return Place.all.compactMap { place in
            opens[Key(entry: place.entry, scope: place.scope)].map { (place, $0) }
        }
    }
}
