import ProcSource
import Syscalls

/// What the daemon counts about itself, for the file `status`.
package final class Statistics: Sendable {
    struct Opens: Sendable {
        var count: UInt64 = 0
        var nanoseconds: UInt64 = 0
    }

    private struct State {
        var requests: [String: UInt64] = [:]
        var opens = [Opens](repeating: Opens(), count: Entry.allCases.count)
    }

    private let state = Monitor(State())
    let start = System.monotonicNanoseconds

    /// Counts a request of the kernel by the name of its operation.
    package func count(request name: String) { state.withLock { $0.requests[name, default: 0] += 1 } }

    func count(open entry: Entry, since start: UInt64) {
        let time = System.monotonicNanoseconds - start
        state.withLock { state in
            state.opens[Int(entry.rawValue)].count += 1
            state.opens[Int(entry.rawValue)].nanoseconds += time
        }
    }

    var requests: [(name: String, count: UInt64)] {
        state.withLock { $0.requests }.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    var opens: [(entry: Entry, opens: Opens)] {
        let opens = state.withLock { $0.opens }
        return Entry.allCases.compactMap { opens[Int($0.rawValue)].count > 0 ? ($0, opens[Int($0.rawValue)]) : nil }
    }
}
