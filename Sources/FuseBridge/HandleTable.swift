import MemoryTree
import Syscalls

/// What is open: files, and directories.
final class HandleTable: Sendable {
    enum Handle: Sendable {
        case file(MemoryTree.Handle)
        case listing(Listing)
    }

    private struct State {
        var handles: [HandleNumber: Handle] = [:]
        var last: UInt64 = 0
    }

    private let state = Monitor(State())

    func add(_ handle: Handle) -> HandleNumber {
        state.withLock { state in
            state.last += 1
            let number = HandleNumber(rawValue: state.last)
            state.handles[number] = handle
            return number
        }
    }

    subscript(number: HandleNumber) -> Handle? { state.withLock { $0.handles[number] } }

    /// Takes it out; who gets it frees it, which may take a while.
    func remove(_ number: HandleNumber) -> Handle? { state.withLock { $0.handles.removeValue(forKey: number) } }
}
