import CFuse3
import Logging
import MemoryTree
import Syscalls
import SystemPackage

/// The threads that receive and answer requests.
///
/// Of all threads one at least waits for requests: INTERRUPT comes the same way, and must not wait for what it is to
/// interrupt. Mostly two wait, so that one can answer what takes long without waking a third. While requests that are
/// quickly answered keep coming, as in a crawl, one thread answers them all and looks for the next one for a moment
/// before it sleeps: waking a thread costs more than most answers do. Should such an answer not be quick, `watch` puts
/// another thread on duty.
@safe final class Crew: @unchecked Sendable {
    // Safety: libfuse's session may be used from any thread; the rest is Sendable.
    let session: OpaquePointer
    private let log: Logger
    let roster: Monitor<Roster>
    let isWatchAwake = Monitor(false)
    /// Replies to requests that have waited long enough; whether there are any that may have to.
    let hurry: @Sendable () -> Bool

    /// Nanoseconds that threads get to end.
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

    /// Starts the threads; returns when the file system is unmounted or `stop` was called, and all threads have ended.
    ///
    /// - Returns: false when some have not: one may wait for the memory lock of a process that does not give it back.
    func serve() -> Bool {
        handOver()
        handOver()
        startMember { _ in self.watch() }
        roster.wait(atMost: 3_600_000) { $0.isStopping || $0.isEmpty ? () : nil }
        isWatchAwake.change { $0 = true }
        let deadline = System.monotonicNanoseconds + Self.patience
        while true {
            for member in roster.withLock({ $0.takeIdle() }) { member.give(.end) }
            // A thread may just be about to sleep: it is asked again until it has gone.
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

    /// Has work done that had to wait, on a thread that may wait.
    func resume(for user: UInt32, _ run: @escaping @Sendable () -> Void) {
        roster.withLock { $0.add(.resumed(user: user, run: run)) }
        wakeForBacklog()
    }

    /// Puts another thread on duty; false when all there may be are busy.
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

    /// Puts a thread to the backlog that has nothing to do, or a new one. Where all are busy, the next one that is done sees
    /// to it; where none can be started, `watch` tries again.
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

    /// Waits for something to do, unless enough others do.
    private func nextOrder(_ member: Member, isBurst: Bool) -> Member.Order {
        if let order = roster.withLock({ $0.nextOrder(for: member, isBurst: isBurst) }) { return order }
        while true {
            if let order = member.nextOrder() { return order }
            if roster.withLock({ $0.leaveIdle(member) }) { return .end }
        }
    }

    /// Does one thing of the backlog.
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
