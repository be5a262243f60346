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
        var handles: [UInt64: (handle: Handle, holding: Holding)] = [:]
        var last: UInt64 = 0
    }

    private let state = Monitor(State())

    /// - Parameter holding: what the handle holds, until it is removed.
    func add(_ handle: Handle, _ holding: Holding) -> UInt64 {
        state.withLock { state in
            state.last += 1
            state.handles[state.last] = (handle, holding)
            return state.last
        }
    }

    subscript(number: UInt64) -> Handle? { state.withLock { $0.handles[number]?.handle } }

    func remove(_ number: UInt64) {
        // Freed after the lock: the last reference may free much.
        let removed = state.withLock { $0.handles.removeValue(forKey: number) }
        if case .file(.stream(let stream)) = removed?.handle { stream.cancel() }
    }
}
