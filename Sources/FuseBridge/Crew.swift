import CFuse3
import Logging
import MemoryTree
import Syscalls
import SystemPackage

/// The threads that receive and answer requests.
///
/// At least one thread always waits for requests: INTERRUPT comes the same way, and must not wait for the request that
/// it interrupts. Usually two wait, so that one can answer a long request without waking a third. While quick requests
/// keep coming, as in a crawl, one thread answers them all. It spins for the next one for a moment before it sleeps,
/// because waking a thread costs more than most answers. If such an answer takes long after all, `watch` makes another
/// thread wait for requests.
@safe final class Crew: @unchecked Sendable {
    // Safety: libfuse's session may be used from any thread; the rest is Sendable.
    let session: OpaquePointer
    private let log: Logger
    let roster: Monitor<Roster>
    let isWatchAwake = Monitor(false)
    /// Replies to requests that have waited long enough. Returns whether work is under way that may need such a reply.
    let hurry: @Sendable () -> Bool

    /// Nanoseconds that threads have to end after `stop`.
    private static let patience: UInt64 = 1_500_000_000

    /// - Parameters:
    ///   - workers: how many threads there may be, and how many of them busy for one user.
    ///   - hurry: called every millisecond while there is something to do.
    init(_ session: OpaquePointer, _ log: Logger, _ workers: BusyThreads, hurry: @escaping @Sendable () -> Bool) {
        unsafe self.session = session
        self.log = log
        self.hurry = hurry
        roster = Monitor(Roster(workers))
    }

    /// Starts the threads. Returns when the file system is unmounted or `stop` was called, and the threads have ended.
    ///
    /// - Returns: false when some threads have not ended in time. One may be waiting for the memory lock of a process
    ///   that does not release it.
    func serve() -> Bool {
        handOver()
        handOver()
        startMember { _ in self.watch() }
        roster.wait(atMost: 3_600_000) { $0.isStopping || $0.isEmpty ? () : nil }
        isWatchAwake.change { $0 = true }
        let deadline = System.monotonicNanoseconds + Self.patience
        while true {
            for member in roster.withLock({ $0.takeIdle() }) { member.give(.end) }
            // A thread may have been about to sleep when the signal came: interrupt again until all have ended.
            var wasAsked = false
            let haveEnded: Bool? = roster.wait(atMost: 5) { roster in
                if roster.isEmpty { return .some(true) }
                if System.monotonicNanoseconds > deadline { return .some(false) }
                guard !wasAsked else { return .some(nil) }
                wasAsked = true
                roster.interruptAll()
                return nil
            }
            if let haveEnded { return haveEnded }
        }
    }

    func stop() {
        unsafe fuse_session_exit(session)
        roster.change { $0.isStopping = true }
    }

    /// Runs work that had to wait, on a thread that may wait.
    func resume(for user: UInt32, _ run: @escaping @Sendable () -> Void) {
        roster.withLock { $0.add(.resumed(user: user, run: run)) }
        wakeForBacklog()
    }

    /// Makes another thread wait for requests; false when all threads allowed are busy, or none can be started.
    @discardableResult
    func handOver() -> Bool {
        switch roster.withLock({ $0.receiver() }) {
        case nil: return false
        case .idle(let member):
            member.give(.receive)
            return true
        case .new:
            let isStarted = startMember { self.work($0, .receive) }
            if !isStarted { roster.withLock { $0.hasNoReceiver() } }
            return isStarted
        }
    }

    /// Gives the backlog to an idle thread or a new one. If all are busy, the next one that is done takes it. If none
    /// can be started, `watch` tries again.
    func wakeForBacklog() {
        switch roster.withLock({ $0.worker() }) {
        case nil: break
        case .idle(let member): member.give(.backlog)
        case .new: if !startMember({ self.work($0, .backlog) }) { wakeWatch() }
        }
    }

    @discardableResult
    private func startMember(_ run: @escaping @Sendable (Member) -> Void) -> Bool {
        let member = roster.withLock { $0.add() }
        let isStarted = Thread.start { [self] in
            roster.withLock { $0.began(member, .current) }
            run(member)
            roster.change { $0.remove(member) }
        }
        guard !isStarted else { return true }
        let now = System.monotonicNanoseconds
        if roster.change({ $0.remove(unstarted: member, at: now) }) { log.warning("cannot start another thread") }
        return false
    }

    private func work(_ member: Member, _ first: Member.Order) {
        var buffer = RequestBuffer()
        var order = first
        while true {
            var isBurst = false
            switch order {
            case .receive: isBurst = receive(&buffer)
            case .backlog: workOff()
            case .end: return
            }
            order = nextOrder(member, isBurst: isBurst)
        }
    }

    /// What the thread does next. Waits for an order if there is nothing to do now.
    private func nextOrder(_ member: Member, isBurst: Bool) -> Member.Order {
        if let order = roster.withLock({ $0.nextOrder(for: member, isBurst: isBurst) }) { return order }
        while true {
            if let order = member.nextOrder() { return order }
            if roster.withLock({ $0.leaveIdle(member) }) { return .end }
        }
    }

    /// Does one piece of work from the backlog.
    private func workOff() {
        guard let work = roster.withLock({ $0.takeWork() }) else { return }
        wakeWatch()
        switch work {
        case .request(let buffer): unsafe buffer.process(session)
        case .resumed(_, let run): run()
        }
        roster.withLock { $0.end(for: work.user) }
    }
}
