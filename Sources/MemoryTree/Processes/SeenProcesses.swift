import ProcModel
import ProcSource
import Syscalls

/// Processes that were used recently, held open: finding a process again takes several system calls.
///
/// A process held here gives nobody a right: the kernel checks the right to each file in it at each open. A process
/// that was not used for three seconds (or for the maximum age, if that is longer) or has ended is dropped, so that an
/// idle daemon holds none.
final class SeenProcesses: Sendable {
    private struct Record {
        let process: PinnedProcess
        /// The address space seen last.
        var space: Space?
        /// When it was last used, in monotonic nanoseconds.
        var used: UInt64
    }

    /// Two signs together tell that a process still runs in the address space seen before: its layout in /proc/PID/stat
    /// is the same, and the `maps` opened then still has an address space behind it. Either alone can be wrong: without
    /// address space randomisation the same program gets the same layout again, and after vfork the parent keeps the
    /// child's former address space alive.
    private struct Space {
        let number: UInt64
        let layout: [UInt64]
        let maps: TargetFile
    }

    private struct State {
        var records: [ProcessID: Record] = [:]
        /// The process that had the number when it was last looked at.
        var numbers: [PID: ProcessID] = [:]
        /// How often each process was seen to change its address space; only those that did.
        var changes: [ProcessID: UInt64] = [:]
    }

    private let most: Int
    private let root: ProcRoot
    private let state = Monitor(State())
    /// Called when a process is held and there was none.
    private let onFirst: @Sendable () -> Void

    /// Called with the processes that were dropped. From then on an exec in one of them may go unnoticed.
    private let onDrop: @Sendable (Set<ProcessID>) -> Void
    /// Nanoseconds for which an unused process is held.
    private let keeping: UInt64
    /// With more changed processes than this, those that have ended are dropped from `changes`.
    private static let manyChanges = 4096

    /// - Parameters:
    ///   - most: how many processes are held; each holds three descriptors.
    ///   - onFirst: called when a process is held and there was none.
    ///   - maximumAge: nanoseconds for which answers about a process are kept; it is held at least that long.
    ///   - onDrop: called with the processes that were dropped.
    init(
        _ root: ProcRoot, most: Int, maximumAge: UInt64 = 0, onFirst: @escaping @Sendable () -> Void,
        onDrop: @escaping @Sendable (Set<ProcessID>) -> Void = { _ in }
    ) {
        self.root = root
        self.most = min(1024, max(1, most))
        self.onFirst = onFirst
        self.onDrop = onDrop
        keeping = max(3_000_000_000, maximumAge)
    }

    /// The process that has the number now.
    ///
    /// - Throws: `.absent` when there is none, or the number is that of a thread.
    func process(_ pid: PID) throws(ProcError) -> PinnedProcess {
        // As long as it lives, no other process has its number.
        let known = state.withLock { state in state.numbers[pid].flatMap { state.records[$0]?.process } }
        if let known, known.isAlive { return use(known) }
        return use(try root.pin(pid))
    }

    /// The process if it is held; makes no system call.
    func held(_ id: ProcessID) -> PinnedProcess? { state.withLock { $0.records[id]?.process } }

    /// A process found before. If it has ended since, opening a file in it throws `.gone`.
    func process(_ id: ProcessID) throws(ProcError) -> PinnedProcess {
        if let known = state.withLock({ $0.records[id]?.process }) { return use(known) }
        let found: PinnedProcess
        do { found = try process(id.pid) } catch { throw error == .absent ? .gone : error }
        guard found.id == id else { throw .gone }
        return found
    }

    /// Notes that the process was used. Returns the one held already if there is one, because that has the lane.
    private func use(_ process: PinnedProcess) -> PinnedProcess {
        let now = System.monotonicNanoseconds
        let (known, wasEmpty, dropped): (PinnedProcess, Bool, [Record]) = state.withLock { state in
            if let known = state.records[process.id]?.process {
                state.records[process.id]?.used = now
                return (known, false, [])
            }
            let wasEmpty = state.records.isEmpty
            let dropped = state.records.count < most ? [] : takeOldest(&state)
            state.records[process.id] = Record(process: process, used: now)
            state.numbers[process.id.pid] = process.id
            return (process, wasEmpty, dropped)
        }
        // Descriptors are closed after the lock.
        onDrop(Set(dropped.map(\.process.id)))
        if wasEmpty { onFirst() }
        return known
    }

    /// Takes out a quarter of the processes, the least recently used ones, without those that a call is under way in.
    private func takeOldest(_ state: inout State) -> [Record] {
        let idle = state.records.values.filter { !$0.process.lane.isInUse }.sorted { $0.used < $1.used }
        return idle.prefix((most + 3) / 4).compactMap { remove($0.process.id, &state) }
    }

    private func remove(_ id: ProcessID, _ state: inout State) -> Record? {
        if state.numbers[id.pid] == id { state.numbers[id.pid] = nil }
        return state.records.removeValue(forKey: id)
    }

    /// Drops the processes that were not used recently and those that have ended.
    ///
    /// - Returns: whether nothing is held any more.
    func letGo() -> Bool {
        let now = System.monotonicNanoseconds
        let all = state.withLock { Array($0.records.values) }
        let ended = Set(all.lazy.filter { !$0.process.isAlive }.map(\.process.id))
        let (dropped, isEmpty): ([Record], Bool) = state.withLock { state in
            let dropped = all.compactMap { seen -> Record? in
                let id = seen.process.id
                guard let record = state.records[id], !record.process.lane.isInUse,
                    ended.contains(id) || now - min(now, record.used) > keeping
                else { return nil }
                return remove(id, &state)
            }
            for id in ended { state.changes[id] = nil }
            // Emptied dictionaries keep their memory; new ones have none.
            if state.records.isEmpty { (state.records, state.numbers) = ([:], [:]) }
            return (dropped, state.records.isEmpty)
        }
        onDrop(Set(dropped.map(\.process.id)))
        forgetChangesOfEnded()
        return isEmpty
    }

    private func forgetChangesOfEnded() {
        let changed = state.withLock { state in
            state.changes.count > Self.manyChanges ? Array(state.changes.keys) : []
        }
        for id in changed where (try? root.pin(id.pid).id) != id { state.withLock { $0.changes[id] = nil } }
    }

    /// The number of the address space seen last; nil when that has ended. Cheaper than `space(of:)`, for uses where a
    /// wrong number does no harm.
    func lastSpace(of process: ProcessID) throws(ProcError) -> UInt64? {
        guard let known = state.withLock({ $0.records[process]?.space }), try VMAQuery.isAlive(known.maps) else {
            return nil
        }
        return known.number
    }

    /// The number of the address space that the process has now. It changes with each exec. Until then it stays the
    /// same, also if the process is dropped from here meanwhile.
    func space(of memory: ProcessMemory) throws(ProcError) -> UInt64 {
        let (id, layout) = (memory.process.id, memory.stat.layout)
        let known = state.withLock { $0.records[id]?.space }
        if let known, known.layout == layout, try VMAQuery.isAlive(known.maps) { return known.number }
        let (number, replaced): (UInt64, Space?) = state.withLock { state in
            let present = state.records[id]?.space
            // Another thread may have seen the same change first.
            if let present, present.number != known?.number, present.layout == layout { return (present.number, nil) }
            if present != nil { state.changes[id, default: 0] += 1 }
            var hasher = Hasher()
            hasher.combine(id)
            hasher.combine(layout)
            hasher.combine(state.changes[id] ?? 0)
            // 0 stands for no address space.
            let number = UInt64(bitPattern: Int64(hasher.finalize())) | 1
            state.records[id]?.space = Space(number: number, layout: layout, maps: memory.maps)
            return (number, present)
        }
        _ = replaced
        return number
    }
}
