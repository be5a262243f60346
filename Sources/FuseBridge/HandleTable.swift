import MemoryTree
import ProcSource
import Syscalls

/// What is open: files, and listings of directories.
final class HandleTable: Sendable {
    enum Handle: Sendable {
        case file(OpenFile)
        case listing(Listing)
    }

    /// What a directory held when it was opened.
    struct Listing: Sendable {
        let node: Node
        let entries: [(name: [UInt8], node: Node)]
        /// For whom, where some see other names than others.
        let standing: Standing?
    }

    private struct State {
        var handles: [UInt64: Handle] = [:]
        var last: UInt64 = 0
    }

    private let state = Monitor(State())

    func add(_ handle: Handle) -> UInt64 {
        state.withLock { state in
            state.last += 1
            state.handles[state.last] = handle
            return state.last
        }
    }

    subscript(number: UInt64) -> Handle? { state.withLock { $0.handles[number] } }

    func remove(_ number: UInt64) {
        // Freed after the lock: the last reference may free much.
        let handle = state.withLock { $0.handles.removeValue(forKey: number) }
        if case .file(.stream(let stream)) = handle { stream.cancel() }
    }
}
