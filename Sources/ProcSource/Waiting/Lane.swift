import Syscalls
import SystemPackage

/// Makes the system calls that may wait for a process: for its mmap lock, an exec, or the filesystem of a mapped file.
///
/// Such a call cannot be left half way. So at most two threads are in the lane of a process, however many readers there
/// are. While both are stuck, further work gets a `Gate` and waits without a thread.
package final class Lane: Sendable {
    /// Most calls under way at a time.
    private static let width = 2
    /// Nanoseconds after which a call counts as stuck.
    static let patience: UInt64 = 20_000_000

    private struct State {
        /// When each call under way began, in monotonic nanoseconds, oldest first.
        var since: [UInt64] = []
        /// When a call last returned.
        var returned: UInt64 = 0
        /// Opened when the next call returns.
        var gate: Gate?
    }

    private let state = Monitor(State())
    private let calls: CallsUnderWay
    /// Whether a thread of the process is in uninterruptible sleep.
    private let sleeps: @Sendable () -> Bool

    init(_ calls: CallsUnderWay, sleeps: @escaping @Sendable () -> Bool) {
        self.calls = calls
        self.sleeps = sleeps
    }

    /// Makes a system call that may wait for the process.
    ///
    /// - Throws: `.mustWait` while all calls in the lane are stuck; `.interrupted` if the result is no longer wanted; EAGAIN
    ///   if too many calls are stuck, in all or of this user; and the error of the call itself.
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

    /// The gate that opens when it is worth trying again; nil if the lane is not stuck.
    package func gateIfStuck() -> Gate? {
        let now = System.monotonicNanoseconds
        return state.withLock { state in
            Self.isStuck(state, Errand.current, now) ? Self.gate(of: &state) : nil
        }
    }

    /// For a thread that waits for other threads' work in the lane: records that it waits for the oldest call, if that call
    /// is stuck.
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

/// Limits the calls under way in all lanes, since each call that is stuck occupies a thread.
final class CallsUnderWay: Sendable {
    /// Most calls under way.
    private static let most = 64
    /// With more calls than this, a process that looks stuck is not asked.
    private static let many = 48

    /// Nanoseconds: if all calls in question have taken longer, a new one does not wait for one of them to return.
    private static let longest: UInt64 = 200_000_000

    private struct State {
        var shares = Quota(most: most)
        var calls: [(user: UInt32, since: UInt64)] = []
    }

    private let state = Monitor(State())

    /// Counts a new call of the user; waits for others to return if there is no room.
    ///
    /// - Parameter mayBeStuck: whether the process looks stuck; called only if there are many calls.
    /// - Throws: EAGAIN if there is no room, in all or for this user, or if the process looks stuck.
    func begin(_ errand: Errand, mayBeStuck: () -> Bool) throws(ProcError) {
        let total: Int? = state.wait(atMost: 5) { state in
            let now = System.monotonicNanoseconds
            guard let refusal = state.shares.refusal(of: 1, to: errand.user) else {
                state.shares.take(1, for: errand.user)
                state.calls.append((errand.user, now))
                return state.shares.total
            }
            // As long as calls keep returning, room will be free soon.
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

    /// Counts the return of one of the user's calls. Which one it was only affects how old the others seem.
    func end(of user: UInt32) {
        state.change { state in
            state.shares.giveBack(1, of: user)
            if let index = state.calls.lastIndex(where: { $0.user == user }) { state.calls.remove(at: index) }
        }
    }
}
