import ProcModel
import ProcSource
import Syscalls

/// Numbers the address spaces of processes: a new number after each exec.
///
/// Two signs tell that a process still runs in the address space seen before: its layout in /proc/PID/stat is the same,
/// and the `maps` opened back then still has an address space behind it. Either alone can be fooled: without address
/// space randomisation the same program gets the same layout again, and after vfork the parent keeps the child's
/// former address space alive.
final class AddressSpaces: Sendable {
    private struct Space {
        let number: UInt32
        let layout: [UInt64]
        let maps: File
    }

    private struct State {
        var spaces: [ProcessID: Space] = [:]
        /// By age, oldest first.
        var order: [ProcessID] = []
        var last: UInt32 = 0
    }

    /// Each holds a descriptor.
    private static let most = 2048
    private let state = Monitor(State())

    /// The number of the address space that the process has now.
    ///
    /// - Parameter maps: freshly opened, of the same process.
    func number(of process: ProcessID, _ stat: ProcessStat, maps: File) -> UInt32 {
        let known = state.withLock { $0.spaces[process] }
        if let known, known.layout == stat.layout, VMAQuery.isAlive(known.maps) { return known.number }
        return state.withLock { state in
            // Another thread may have seen the same change first.
            if let space = state.spaces[process], space.number != known?.number, space.layout == stat.layout {
                return space.number
            }
            state.last += 1
            if state.spaces.updateValue(Space(number: state.last, layout: stat.layout, maps: maps), forKey: process)
                == nil
            {
                state.order.append(process)
                if state.order.count > Self.most { state.spaces[state.order.removeFirst()] = nil }
            }
            return state.last
        }
    }
}
