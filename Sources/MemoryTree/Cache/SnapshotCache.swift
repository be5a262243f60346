import ProcModel
import ProcSource
import Syscalls

/// What was read from /proc, kept for a short time so that readers of the same thing share one reading.
///
/// A key has the address space and the reader's rights. So a value is not found after exec, exit or reuse of a process
/// number, nor by a reader with other rights. Each caller has had the kernel check their right to the source before. A
/// value is used for at most the maximum age, counted from before it was read. One reader makes it, and the others wait
/// for it, after 20 ms without a thread. Failures are not kept. The values stay within the budget: the oldest is
/// dropped first.
package final class SnapshotCache: Sendable {
    /// What a value is, and of what.
    package enum Key: Hashable, Sendable {
        case maps(SpaceKey)
        case labels(SpaceKey)
        case smaps(SpaceKey)
        case extents(SpaceKey, AddressRange)
        /// How many pages of a range have an entry.
        case pageCount(SpaceKey, AddressRange)
        /// The text of a file.
        case answer(Node)
        /// Names of all processes, for a finder where hidepid hides some.
        case names(Finder?)

        var process: ProcessID? {
            switch self {
            case .maps(let space), .labels(let space), .smaps(let space): space.process
            case .extents(let space, _), .pageCount(let space, _): space.process
            case .answer(let node): node.process
            case .names: nil
            }
        }
    }

    /// An address space as readers with the same rights see it.
    package struct SpaceKey: Hashable, Sendable {
        let process: ProcessID
        let space: UInt64
        let decision: AccessDecision

        package init(process: ProcessID, space: UInt64, decision: AccessDecision) {
            self.process = process
            self.space = space
            self.decision = decision
        }
    }

    package struct Counters: Sendable {
        package var hits: UInt64 = 0
        package var misses: UInt64 = 0
        package var evictions: UInt64 = 0
        package var bytes = 0
    }

    private struct Slot {
        let value: any Sendable
        let bytes: Int
        let since: UInt64
    }

    private struct State {
        var slots: [Key: Slot] = [:]
        /// The values that are being made, each with the gate that opens when it is done.
        var filling: [Key: Gate] = [:]
        /// Keys by age, oldest first. A key that was filled again has an old place here too.
        var order: [(key: Key, since: UInt64)] = []
        var counters = Counters()
    }

    private let state = Monitor(State())
    /// Nanoseconds; 0 keeps nothing.
    private let maximumAge: UInt64
    /// Bytes.
    package let budget: Int
    private let now: @Sendable () -> UInt64
    private let onFirst: @Sendable () -> Void

    /// - Parameter now: nanoseconds of a clock that only goes forward.
    /// - Parameter onFirst: called when a value is kept and there was none.
    package init(
        maximumAge: UInt64, budget: Int, onFirst: @escaping @Sendable () -> Void = {},
        now: @escaping @Sendable () -> UInt64
    ) {
        self.maximumAge = maximumAge
        self.budget = budget
        self.onFirst = onFirst
        self.now = now
    }

    package var counters: Counters { state.withLock { $0.counters } }

    /// The value of the key, made if there is none that is young enough.
    ///
    /// - Parameters:
    ///   - accept: whether a kept value can be used.
    ///   - bytes: how many bytes the value takes.
    package func value<Value: Sendable>(
        _ key: Key, for reader: Reader, accept: (Value) -> Bool = { _ in true }, bytes: (Value) -> Int,
        make: () throws(ProcError) -> Value
    ) throws(ProcError) -> Value {
        guard maximumAge > 0 else {
            state.withLock { $0.counters.misses += 1 }
            return try make()
        }
        let since: UInt64
        switch claim(key, reader, accept) {
        case .kept(let value): return value
        case .interrupted: throw .interrupted
        case .mustWait(let gate): throw .mustWait(gate)
        case .fill(let time): since = time
        }
        let value: Value
        do { value = try make() } catch {
            state.change { $0.filling.removeValue(forKey: key) }?.open()
            throw error
        }
        keep(key, Slot(value: value, bytes: bytes(value), since: since))
        return value
    }

    /// Drops all values about the processes.
    package func forget(_ processes: Set<ProcessID>) {
        guard !processes.isEmpty else { return }
        let dropped = state.withLock { state in
            state.slots.keys.filter { key in key.process.map(processes.contains) ?? false }.map { drop($0, &state) }
        }
        _ = dropped
    }

    /// Drops the values that are too old.
    ///
    /// - Returns: whether nothing is held any more.
    package func letGo() -> Bool {
        let (dropped, isEmpty) = state.withLock { state in
            let dropped = dropSurplus(&state)
            // Emptied collections keep their memory; new ones have none.
            if state.slots.isEmpty { (state.slots, state.order) = ([:], []) }
            return (dropped, state.slots.isEmpty)
        }
        _ = dropped
        return isEmpty
    }

    private enum Claim<Value> {
        case kept(Value)
        case fill(since: UInt64)
        case interrupted
        case mustWait(Gate)
    }

    private func claim<Value: Sendable>(_ key: Key, _ reader: Reader, _ accept: (Value) -> Bool) -> Claim<Value> {
        let began = System.monotonicNanoseconds
        return state.wait(atMost: 5) { state in
            if let gate = state.filling[key] {
                if reader.isInterrupted() { return .interrupted }
                return System.monotonicNanoseconds - began > Self.patience ? .mustWait(gate) : nil
            }
            let time = now()
            if let slot = state.slots[key], time - slot.since < maximumAge, let value = slot.value as? Value,
                accept(value)
            {
                state.counters.hits += 1
                return .kept(value)
            }
            state.counters.misses += 1
            state.filling[key] = Gate(of: .current)
            return .fill(since: time)
        }
    }

    /// Nanoseconds for which a thread waits for a value that another one makes.
    private static let patience: UInt64 = 20_000_000

    private func keep(_ key: Key, _ slot: Slot) {
        // Freed after the lock: there may be many.
        let (gate, replaced, dropped, isFirst): (Gate?, Slot?, [Slot], Bool) = state.change { state in
            let isFirst = state.slots.isEmpty
            let gate = state.filling.removeValue(forKey: key)
            let replaced = drop(key, &state)
            if slot.bytes <= budget {
                state.slots[key] = slot
                state.order.append((key, slot.since))
                state.counters.bytes += slot.bytes
            }
            return (gate, replaced, dropSurplus(&state), isFirst)
        }
        gate?.open()
        if isFirst { onFirst() }
        _ = (replaced, dropped)
    }

    /// Takes out the values that are too old or do not fit into the budget.
    private func dropSurplus(_ state: inout State) -> [Slot] {
        var dropped: [Slot] = []
        var index = 0
        let time = now()
        while index < state.order.count {
            let (oldest, since) = state.order[index]
            let isCurrent = state.slots[oldest]?.since == since
            let isExpired = time - min(time, since) >= maximumAge
            guard !isCurrent || isExpired || state.counters.bytes > budget else { break }
            if isCurrent, let slot = drop(oldest, &state) {
                dropped.append(slot)
                if !isExpired { state.counters.evictions += 1 }
            }
            index += 1
        }
        state.order.removeFirst(index)
        return dropped
    }

    private func drop(_ key: Key, _ state: inout State) -> Slot? {
        let slot = state.slots.removeValue(forKey: key)
        if let slot { state.counters.bytes -= slot.bytes }
        return slot
    }
}
