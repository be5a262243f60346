import CFuse3
import Logging
import ProcSource
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
    // Safety: libfuse's session may be used from any thread; `state` guards the rest.
    private let session: OpaquePointer
    private let log: Logger
    private let state: Monitor<State>
    private let isWatchAwake = Monitor(false)
    /// Replies to requests that have waited long enough; whether there are any that may have to.
    private let hurry: @Sendable () -> Bool
    /// With one processor the sender of the next request could not run meanwhile.
    private let spins = System.processorCount > 1

    private struct State {
        var members: [Int: Member] = [:]
        var last = 0
        /// Those who have nothing to do, the one who has just stopped last.
        var idle: [Member] = []
        /// How many wait for a request, or have been told to.
        var waiting = 0
        /// Requests received.
        var requests: UInt64 = 0
        /// What came when all threads were busy, or all that its user may keep busy.
        var backlog = Backlog()
        /// Threads at work for each user.
        var shares: Quota
        var isStopping = false
        /// When a thread could not be started last.
        var warned: UInt64 = 0

        var hasWork: Bool { backlog.hasWork(shares) }
    }

    private final class Member: Sendable {
        let number: Int
        let thread = Monitor<Thread?>(nil)
        let order = Monitor<Order?>(nil)

        init(number: Int) { self.number = number }
    }

    private enum Order {
        case receive, backlog, end
    }

    /// Threads that stay for a while when there is little to do.
    private static let mostIdle = 4
    /// Nanoseconds for which they stay.
    private static let longestIdle: UInt64 = 1_000_000_000
    /// A request may have to wait for the target's memory lock; only this many waiting ones could keep others out.
    private let most: Int
    /// Nanoseconds without a warning after which the next one is news.
    private static let pauseOfWarnings: UInt64 = 60_000_000_000
    /// Nanoseconds that threads get to end.
    private static let patience: UInt64 = 1_500_000_000
    /// Nanoseconds for which the next request is looked for.
    private static let longestSpin: UInt64 = 50_000

    /// - Parameters:
    ///   - descriptors: that may be open; a request needs up to eight.
    ///   - hurry: called every millisecond while there is something to do.
    init(_ session: OpaquePointer, _ log: Logger, descriptors: Int, hurry: @escaping @Sendable () -> Bool) {
        unsafe self.session = session
        self.hurry = hurry
        self.log = log
        most = min(256, max(8, descriptors / 32))
        state = Monitor(State(shares: Quota(most: most)))
    }

    private func canHandOver(_ state: State) -> Bool { !state.idle.isEmpty || state.members.count < most }

    /// Starts the threads; returns when the file system is unmounted or `stop` was called, and all threads have ended.
    ///
    /// - Returns: false when some have not: one may wait for the memory lock of a process that does not give it back.
    func serve() -> Bool {
        _ = handOver()
        _ = handOver()
        _ = startMember { _ in self.watch() }
        state.wait(atMost: 3_600_000) { $0.isStopping || $0.members.isEmpty ? () : nil }
        isWatchAwake.change { $0 = true }
        // A thread may just be about to sleep: ask until all have gone.
        let deadline = System.monotonicNanoseconds + Self.patience
        return state.wait(atMost: 5) { state in
            for member in state.idle { member.order.change { $0 = .end } }
            state.idle = []
            for member in state.members.values { member.thread.withLock { $0 }?.interrupt() }
            if state.members.isEmpty { return true }
            return System.monotonicNanoseconds > deadline ? false : nil
        }
    }

    func stop() {
        unsafe fuse_session_exit(session)
        state.change { $0.isStopping = true }
    }

    private func startMember(_ run: @escaping @Sendable (Member) -> Void) -> Bool {
        let member = state.withLock { state in
            state.last += 1
            let member = Member(number: state.last)
            state.members[member.number] = member
            return member
        }
        let started = Thread.start { [self] in
            member.thread.withLock { $0 = .current }
            run(member)
            state.change { $0.members[member.number] = nil }
        }
        if !started {
            let isNews = state.change { state in
                let now = System.monotonicNanoseconds
                state.members[member.number] = nil
                defer { state.warned = now }
                return state.warned == 0 || now - state.warned > Self.pauseOfWarnings
            }
            if isNews { log.warning("cannot start another thread") }
        }
        return started
    }

    private func work(_ member: Member, _ first: Order? = nil) {
        var buffer = RequestBuffer()
        var order = first ?? nextOrder(member)
        while true {
            var isBurst = false
            switch order {
            case .receive: isBurst = receive(&buffer)
            case .backlog:
                let waiting = state.withLock { state in state.backlog.take(&state.shares) }
                if let waiting {
                    wakeWatch()
                    switch waiting {
                    case .request(let buffer): unsafe buffer.process(session)
                    case .resumed(_, let run): run()
                    }
                    state.withLock { $0.shares.giveBack(1, of: waiting.user) }
                }
            case .end: return
            }
            order = nextOrder(member, isBurst: isBurst)
        }
    }

    /// Waits for something to do, unless enough others do.
    private func nextOrder(_ member: Member, isBurst: Bool = false) -> Order {
        let order: Order? = state.withLock { state in
            if state.isStopping { return .end }
            if state.waiting > 0, state.hasWork { return .backlog }
            if state.waiting < (isBurst ? 1 : 2) {
                state.waiting += 1
                return .receive
            }
            if state.idle.count >= Self.mostIdle { return .end }
            member.order.withLock { $0 = nil }
            state.idle.append(member)
            return nil
        }
        if let order { return order }
        let end = System.monotonicNanoseconds + Self.longestIdle
        while true {
            let order: Order?? = member.order.wait { order in
                if let order { return .some(order) }
                return System.monotonicNanoseconds > end ? .some(nil) : nil
            }
            if let order { return order ?? .end }
            let isIdle = state.withLock { state in
                let index = state.idle.firstIndex { $0 === member }
                if let index { state.idle.remove(at: index) }
                return index != nil
            }
            // Else an order is on its way.
            if isIdle { return .end }
        }
    }

    /// Receives and answers until enough others wait for requests; true if those come one after the other just now.
    private func receive(_ buffer: inout RequestBuffer) -> Bool {
        var isBurst = false
        while unsafe fuse_session_exited(session) == 0 {
            let began = System.monotonicNanoseconds
            if isBurst { unsafe System.awaitInput(fuse_session_fd(session), atMost: Self.longestSpin) }
            let got = unsafe buffer.receive(session)
            if got == -Errno.interrupted.rawValue { continue }
            if got <= 0 { break }
            let kind = buffer.kind
            isBurst = spins && kind != .long && System.monotonicNanoseconds - began < 2 * Self.longestSpin
            let user = buffer.user
            switch mayAnswer(kind, user) {
            case .now:
                // One that is given up while it lies in the backlog: nothing of it is done yet.
                if let givenUp = buffer.interrupted.flatMap({ number in
                    state.withLock { $0.backlog.take(request: number) }
                }) {
                    unsafe givenUp.refuse(session, .interrupted)
                } else {
                    unsafe buffer.process(session)
                }
                let staysOn = state.withLock { state in
                    if kind != .immediate { state.shares.giveBack(1, of: user) }
                    guard state.waiting < (isBurst || state.hasWork ? 1 : 2) else { return false }
                    state.waiting += 1
                    return true
                }
                if !staysOn { return isBurst }
            case .later:
                state.withLock { state in
                    state.backlog.add(.request(buffer))
                    state.waiting += 1
                }
                buffer = RequestBuffer()
            case .never:
                unsafe buffer.refuse(session, .resourceTemporarilyUnavailable)
                state.withLock { $0.waiting += 1 }
            }
        }
        stop()
        return false
    }

    /// Has work done that had to wait, on a thread that may wait.
    func resume(for user: UInt32, _ run: @escaping @Sendable () -> Void) {
        state.withLock { $0.backlog.add(.resumed(user: user, run: run)) }
        wakeForBacklog()
    }

    /// Puts a thread to the backlog that has nothing to do, or a new one. Where all are busy, the next one that is done sees
    /// to it; where none can be started, `watch` tries again.
    private func wakeForBacklog() {
        let member: Member?? = state.withLock { state in
            guard state.hasWork, canHandOver(state), !state.isStopping else { return nil }
            return .some(state.idle.popLast())
        }
        guard let member else { return }
        if let member {
            member.order.change { $0 = .backlog }
        } else if !startMember({ self.work($0, .backlog) }) {
            wakeWatch()
        }
    }

    private enum Turn {
        case now
        /// All threads there may be, or the user's share of them, are busy: it has to lie until one of them is not.
        case later
        /// None can be started, and none is busy that would see to it later.
        case never
    }

    /// Sees to it that somebody waits for requests while this one is answered.
    private func mayAnswer(_ kind: RequestBuffer.Kind, _ user: UInt32) -> Turn {
        let (hasRoom, isAlone, canHandOver) = state.withLock { state in
            state.waiting -= 1
            state.requests += 1
            let hasRoom = kind == .immediate || state.shares.refusal(of: 1, to: user) == nil
            if hasRoom, kind != .immediate { state.shares.take(1, for: user) }
            return (hasRoom, state.waiting == 0, self.canHandOver(state))
        }
        guard hasRoom else { return .later }
        if kind == .quick { wakeWatch() }
        guard isAlone, kind != .immediate else { return .now }
        let isHandedOver = kind == .long ? handOver() : canHandOver
        guard !isHandedOver else { return .now }
        return state.withLock { state in
            state.shares.giveBack(1, of: user)
            return state.shares.total > 0 || state.members.count >= most ? .later : .never
        }
    }

    private func wakeWatch() {
        if !isWatchAwake.withLock({ $0 }) { isWatchAwake.change { $0 = true } }
    }

    /// Puts another thread on duty; false when all there may be are busy.
    private func handOver() -> Bool {
        let successor: Member?? = state.withLock { state in
            guard canHandOver(state) else { return nil }
            state.waiting += 1
            return .some(state.idle.popLast())
        }
        guard let successor else { return false }
        if let successor {
            successor.order.change { $0 = .receive }
        } else if !startMember({ self.work($0, .receive) }) {
            state.withLock { $0.waiting -= 1 }
            return false
        }
        return true
    }

    /// Looks every millisecond, while there is something to do, whether the thread on duty is stuck, or one that others wait for.
    private func watch() {
        var quietRounds = 0
        var last: UInt64 = 0
        while !state.withLock({ $0.isStopping }) {
            isWatchAwake.wait(atMost: 3_600_000) { $0 ? () : nil }
            System.sleep(nanoseconds: 1_000_000)
            let (requests, waiting) = state.withLock { ($0.requests, $0.waiting) }
            if requests == last, waiting == 0 { _ = handOver() }
            let isHurrying = hurry()
            let hasWork = state.withLock { $0.hasWork } || isHurrying
            if hasWork { wakeForBacklog() }
            quietRounds = requests == last && waiting > 0 && !hasWork ? quietRounds + 1 : 0
            if quietRounds == 20 {
                quietRounds = 0
                isWatchAwake.withLock { $0 = false }
                // Who took a request just before has not woken us.
                if state.withLock({ $0.waiting == 0 || $0.requests != requests }) {
                    isWatchAwake.withLock { $0 = true }
                }
            }
            last = requests
        }
    }
}
