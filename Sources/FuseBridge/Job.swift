import MemoryTree
import ProcModel
import ProcSource
import Syscalls

/// The work for a request, and for later requests of the same reader that repeat it.
///
/// A reader who gets a signal gets EINTR at once, whatever the work waits for. If the signal did not kill them, they
/// usually ask again a moment later. So the work is kept for that long, and the new request takes it over with what is
/// done so far. Otherwise a reader who gets a signal every few milliseconds would never finish anything that takes
/// longer.
///
/// Work that must wait for a process holds no thread. It is started again when its gate opens.
final class Job: Sendable {
    /// What was asked for, and by which thread.
    struct Key: Hashable {
        enum Number: Hashable {
            case inode(InodeNumber)
            case handle(HandleNumber)
        }

        let operation: Operation
        let thread: PID?
        let number: Number
        var offset: UInt64 = 0
        var size = 0
        var name: [UInt8] = []
    }

    private struct State {
        /// The last request for this work. It has no reply yet, unless that was EINTR.
        var request: Request
        var givenUpAt: UInt64?
        var readerIsDying = false
        var isListed = false
        var isFinished = false
        /// Counts how often it was parked and resumed.
        var turn = 0
        /// The gate where the work waits without a thread, and its number there.
        var parked: (gate: Gate, number: Int)?
    }

    let key: Key
    let errand: Errand
    let reader: Reader
    private let jobs: Jobs
    private let state: Monitor<State>
    private let work: @Sendable (Job) -> Void

    /// Nanoseconds for which work is kept that no reader waits for.
    private static let grace: UInt64 = 20_000_000

    /// - Parameter work: ends with `finish` or `park`.
    init(_ key: Key, _ request: Request, _ jobs: Jobs, work: @escaping @Sendable (Job) -> Void) {
        self.key = key
        self.jobs = jobs
        self.work = work
        let state = Monitor(State(request: request))
        self.state = state
        let isGivenUp: @Sendable () -> Bool = { state.withLock(Self.isAbandoned) }
        errand = Errand(for: request.requester.user, isGivenUp: isGivenUp)
        reader = Reader(
            request.requester, isInterrupted: isGivenUp,
            staysAway: {
                state.wait(atMost: 5) { state in
                    if state.givenUpAt == nil { return false }
                    return Self.isAbandoned(&state) ? true : nil
                }
            })
    }

    private static func isAbandoned(_ state: inout State) -> Bool {
        guard let since = state.givenUpAt else { return false }
        let now = System.monotonicNanoseconds
        return state.readerIsDying || now - min(now, since) > grace
    }

    /// Does the work on the calling thread.
    func run() {
        guard !state.withLock({ $0.isFinished }) else { return }
        errand.run { work(self) }
    }

    var isFinished: Bool { state.withLock { $0.isFinished } }

    /// Whether it is blocked by a process that does not answer.
    var isStuck: Bool {
        let parked = state.withLock { state in (state.isFinished, state.parked?.gate) }
        return !parked.0 && (parked.1?.isStuck ?? errand.isStuck)
    }

    /// Whether the reader waits for the result.
    var isWanted: Bool { state.withLock { $0.givenUpAt == nil } }

    /// Notes that the reader of the request has stopped waiting.
    func giveUp(_ request: Request) {
        let isDying = request.requester.isDying
        let parked = state.change { state -> (gate: Gate, number: Int)? in
            guard state.request === request, !state.isFinished else { return nil }
            state.givenUpAt = System.monotonicNanoseconds
            state.readerIsDying = isDying
            if !state.isListed {
                state.isListed = true
                jobs.list(self)
            }
            return state.parked
        }
        guard let parked else { return }
        // A parked job has nothing done that is worth keeping.
        parked.gate.forget(parked.number)
        end()
    }

    /// Replies to the request in place of the work, whose result is then dropped.
    func abandon(_ reply: (Request) -> Void) {
        let (request, parked) = state.change { state in
            state.isFinished = true
            state.givenUpAt = state.givenUpAt ?? System.monotonicNanoseconds
            state.readerIsDying = true
            return (state.request, state.parked)
        }
        if let parked { parked.gate.forget(parked.number) }
        end()
        reply(request)
    }

    /// Gives the work to another request of the same reader; false when it is finished, or its own request still waits.
    func takeOver(_ request: Request) -> Bool {
        let isTaken = state.change { state in
            guard !state.isFinished, state.givenUpAt != nil else { return false }
            state.request = request
            state.givenUpAt = nil
            state.readerIsDying = false
            return true
        }
        if isTaken { request.attach(self) }
        return isTaken
    }

    /// Starts the work again when the gate opens, unless the reader has stopped waiting by then.
    ///
    /// - Parameter resume: runs the job on a thread that may wait.
    func park(at gate: Gate, resume: @escaping @Sendable (Job) -> Void) {
        let isOver = state.withLock { state in
            state.isFinished = state.isFinished || state.givenUpAt != nil
            return state.isFinished
        }
        if isOver { return end() }
        let turn = state.withLock { state in
            state.turn += 1
            return state.turn
        }
        let number = gate.whenOpen { [self] in
            state.withLock { state in
                state.turn += 1
                state.parked = nil
            }
            resume(self)
        }
        let isGivenUp = state.withLock { state in
            // It may be running again already.
            guard state.turn == turn else { return false }
            if state.givenUpAt == nil { state.parked = (gate, number) } else { state.isFinished = true }
            return state.isFinished
        }
        guard isGivenUp else { return }
        gate.forget(number)
        end()
    }

    /// Gives the result to the request. If that was interrupted, waits a moment for a request that repeats it.
    ///
    /// - Parameter deliver: replies with the result; false when the request has a reply already, or the kernel does not
    ///   take this one.
    /// - Returns: whether it was delivered.
    func finish(_ deliver: (Request) -> Bool) -> Bool {
        while true {
            let request = state.withLock { $0.request }
            let isDelivered = deliver(request)
            guard !isDelivered, request.wasInterrupted, hasFollower(of: request) else {
                end()
                return isDelivered
            }
        }
    }

    private func hasFollower(of request: Request) -> Bool {
        state.wait(atMost: 5) { state in
            if state.request !== request { return true }
            state.isFinished = state.givenUpAt == nil || Self.isAbandoned(&state)
            return state.isFinished ? false : nil
        }
    }

    private func end() {
        let isListed = state.withLock { state in
            state.isFinished = true
            return state.isListed
        }
        if isListed { jobs.unlist(self) }
    }
}

/// Jobs whose readers have stopped waiting, kept for a moment in case they ask again.
final class Jobs: Sendable {
    private let given = Monitor([Job.Key: Job]())

    /// The job that the same thread asked for before with the same arguments, if it is not finished.
    func job(_ key: Job.Key) -> Job? { given.withLock { $0.isEmpty ? nil : $0[key] } }

    func list(_ job: Job) { given.withLock { $0[job.key] = job } }

    func unlist(_ job: Job) {
        given.withLock { if $0[job.key] === job { $0[job.key] = nil } }
    }
}
