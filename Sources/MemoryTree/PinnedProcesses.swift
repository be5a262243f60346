import ProcSource
import Syscalls

/// Processes that were asked for lately, held open: finding one anew takes a handful of system calls.
///
/// That a process was found once gives nobody a right to anything: what is opened through it is, each time.
final class PinnedProcesses: Sendable {
    private struct State {
        var processes: [ProcessID: PinnedProcess] = [:]
        /// Oldest first.
        var order: [ProcessID] = []
    }

    private let most: Int
    private let root: ProcRoot
    private let state = Monitor(State())

    /// - Parameter most: each holds two descriptors.
    init(_ root: ProcRoot, most: Int) {
        self.root = root
        self.most = min(1024, max(1, most))
    }

    /// The process that has the number now.
    ///
    /// - Throws: `.absent` when there is none, or the number is that of a thread.
    func process(_ pid: Int32) throws(ProcError) -> PinnedProcess {
        let process = try root.pin(pid)
        state.withLock { state in
            guard state.processes.updateValue(process, forKey: process.id) == nil else { return }
            state.order.append(process.id)
            if state.order.count > most { state.processes[state.order.removeFirst()] = nil }
        }
        return process
    }

    /// A process found before, which may have ended since: then what is opened through it is `.gone`.
    func process(_ id: ProcessID) throws(ProcError) -> PinnedProcess {
        if let known = state.withLock({ $0.processes[id] }) { return known }
        let found: PinnedProcess
        do { found = try process(id.pid) } catch { throw error == .absent ? .gone : error }
        guard found.id == id else { throw .gone }
        return found
    }
}
