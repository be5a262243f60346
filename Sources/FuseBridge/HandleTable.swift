import MemoryTree
import Syscalls

/// The open files and directories, by number.
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

    /// Removes the handle and returns it, so that the caller frees it outside the lock: that may take a while.
    func remove(_ number: HandleNumber) -> Handle? { state.withLock { $0.handles.removeValue(forKey: number) } }
}
