import Syscalls
import SystemPackage

/// Where system calls are made that may wait for a process: on its memory lock, on an exec, on a file system under it.
///
/// Nobody can leave such a call half way. So a few threads at most are in the lane of a process, however many readers ask
/// for it; while none of them comes back, whoever else wants in is told to wait without a thread.
package final class Lane: Sendable {
    /// Calls under way at a time.
    private static let width = 2
    /// Nanoseconds after which a call counts as stuck.
    static let patience: UInt64 = 20_000_000

    private struct State {
        /// When each call under way began, oldest first.
        var since: [UInt64] = []
        /// When a call came back last.
        var returned: UInt64 = 0
        /// Opened when the next call comes back.
        var gate: Gate?
    }

    private let state = Monitor(State())
    private let calls: CallsUnderWay
    /// Whether a thread of the process sleeps where no signal reaches it.
    private let sleeps: @Sendable () -> Bool

    init(_ calls: CallsUnderWay, sleeps: @escaping @Sendable () -> Bool) {
        self.calls = calls
        self.sleeps = sleeps
    }

    /// Makes a system call that may wait for the process.
    ///
    /// - Throws: `.mustWait` while all calls in the lane are stuck, `.interrupted` for whom nobody waits any more, EAGAIN
    ///   when too many calls are stuck in all, or of this user, and what the call fails with.
    package func call<Result>(_ body: () throws(Errno) -> Result) throws(ProcError) -> Result {
        let errand = Errand.current
        let since = try enter(errand)
        errand.noteCall(since: since)
        defer {
            errand.noteCall(since: 0)
            leave(since, errand.user)
        }
        return try ProcError.wrap(body)
    }

    /// What opens when the lane is worth trying again; nil while it is not stuck.
    package func gateIfStuck() -> Gate? {
        let now = System.monotonicNanoseconds
        return state.withLock { state in
            Self.isStuck(state, Errand.current, now) ? Self.gate(of: &state) : nil
        }
    }

    /// For who waits for work of other threads in the lane: notes it as waiting for the oldest call if that is stuck.
    package func noteWaiting() {
        let now = System.monotonicNanoseconds
        let oldest = state.withLock { $0.since.first ?? 0 }
        Errand.current.noteCall(since: oldest > 0 && now - min(now, oldest) > Self.patience ? oldest : 0)
    }

    /// Whether a call is under way.
    package var isInUse: Bool { state.withLock { !$0.since.isEmpty } }

    private enum Turn {
        case go(since: UInt64, wasIdle: Bool)
        case givenUp
        case stuck(Gate)
    }

    private func enter(_ errand: Errand) throws(ProcError) -> UInt64 {
        let turn: Turn = state.wait(atMost: 5) { state in
            if errand.isGivenUp() { return .givenUp }
            let now = System.monotonicNanoseconds
            if state.since.count < Self.width {
                state.since.append(now)
                return .go(since: now, wasIdle: now - min(now, state.returned) > Self.patience)
            }
            return Self.isStuck(state, errand, now) ? .stuck(Self.gate(of: &state)) : nil
        }
        switch turn {
        case .givenUp: throw .interrupted
        case .stuck(let gate): throw .mustWait(gate)
        case .go(let since, let wasIdle):
            do { try calls.begin(errand, mayBeStuck: wasIdle ? sleeps : { false }) } catch {
                end(since, returned: false)
                throw error
            }
            return since
        }
    }

    private func leave(_ since: UInt64, _ user: UInt32) {
        calls.end(of: user)
        end(since, returned: true)
    }

    private func end(_ since: UInt64, returned: Bool) {
        let now = System.monotonicNanoseconds
        let gate = state.change { state in
            if let index = state.since.firstIndex(of: since) { state.since.remove(at: index) }
            if returned { state.returned = now }
            defer { state.gate = nil }
            return state.gate
        }
        gate?.open()
    }

    private static func isStuck(_ state: State, _ errand: Errand, _ now: UInt64) -> Bool {
        guard state.since.count >= width, let youngest = state.since.last else { return false }
        return now - min(now, youngest) > errand.patience(at: now)
    }

    private static func gate(of state: inout State) -> Gate {
        let gate = state.gate ?? Gate()
        state.gate = gate
        return gate
    }
}

/// How many calls are under way in all lanes: each that is stuck costs a thread.
final class CallsUnderWay: Sendable {
    /// Threads that may be stuck.
    private static let most = 64
    /// From here on a process is not asked while it looks as if it would not answer.
    private static let many = 48

    /// Nanoseconds after which nobody waits for a call to come back.
    private static let longest: UInt64 = 200_000_000

    private struct State {
        var shares = Quota(most: most)
        var calls: [(user: UInt32, since: UInt64)] = []
    }

    private let state = Monitor(State())

    /// - Parameter mayBeStuck: whether the process looks so; asked only when there are many calls.
    /// - Throws: EAGAIN when there is no room, or none for this user.
    func begin(_ errand: Errand, mayBeStuck: () -> Bool) throws(ProcError) {
        let total: Int? = state.wait(atMost: 5) { state in
            let now = System.monotonicNanoseconds
            guard let refusal = state.shares.refusal(of: 1, to: errand.user) else {
                state.shares.take(1, for: errand.user)
                state.calls.append((errand.user, now))
                return state.shares.total
            }
            // While some of them come back, it is only a matter of time.
            let theirs = state.calls.filter { refusal == .allIsTaken || $0.user == errand.user }
            let youngest = theirs.map(\.since).max() ?? now
            return now - min(now, youngest) > Self.longest || errand.isGivenUp() ? .some(nil) : nil
        }
        guard let total else { throw .failed(.resourceTemporarilyUnavailable) }
        if total > Self.many, mayBeStuck() {
            end(of: errand.user)
            throw .failed(.resourceTemporarilyUnavailable)
        }
    }

    /// One of the user's has come back; which one makes no difference but to how long the others have taken.
    func end(of user: UInt32) {
        state.change { state in
            state.shares.giveBack(1, of: user)
            if let index = state.calls.lastIndex(where: { $0.user == user }) { state.calls.remove(at: index) }
        }
    }
}
