import MemoryTree
import Syscalls

/// What is open: files, and directories.
final class HandleTable: Sendable {
    enum Handle: Sendable {
        case file(MemoryTree.Handle)
        case listing(Listing)
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

    /// Takes it out; who gets it frees it, which may take a while.
    func remove(_ number: UInt64) -> Handle? { state.withLock { $0.handles.removeValue(forKey: number) } }
}
