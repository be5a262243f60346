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

    private let most: Int
    private let state = Monitor(State())

    /// - Parameter most: each holds a descriptor.
    init(most: Int) { self.most = min(2048, max(1, most)) }

    /// By age alone: whoever asks for one address space must never wait for the memory lock of another.
    private func dropOldest(_ state: inout State) {
        if state.order.count > most { state.spaces[state.order.removeFirst()] = nil }
    }

    /// The number seen last, if that address space still has a program: as good as the present one where a mistake
    /// does no harm, for less.
    func lastNumber(of process: ProcessID) -> UInt32? {
        guard let known = state.withLock({ $0.spaces[process] }), VMAQuery.isAlive(known.maps) else { return nil }
        return known.number
    }

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
                dropOldest(&state)
            }
            return state.last
        }
    }
}
