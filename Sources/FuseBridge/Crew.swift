import CFuse3
import Logging
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
    /// With one processor the sender of the next request could not run meanwhile.
    private let looksAhead = System.processorCount > 1

    private struct State {
        var members: [Int: Member] = [:]
        var last = 0
        /// Those who have nothing to do, the one who has just stopped last.
        var idle: [Member] = []
        /// How many wait for a request, or have been told to.
        var waiting = 0
        /// Requests received.
        var requests: UInt64 = 0
        /// Requests that came when all threads were busy, or all that their user may keep busy.
        var backlog: [RequestBuffer] = []
        var shares: Shares
        var isStopping = false

        var hasWork: Bool { backlog.contains { shares.hasRoom(for: $0.user) } }

        mutating func takeFromBacklog() -> RequestBuffer? {
            backlog.firstIndex { shares.hasRoom(for: $0.user) }.map { backlog.remove(at: $0) }
        }
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

    /// Threads that stay when there is little to do.
    private static let fewest = 4
    /// A request may have to wait for the target's memory lock; only this many waiting ones could keep others out.
    private let most: Int
    /// Nanoseconds that threads get to end.
    private static let patience: UInt64 = 3_000_000_000
    /// Nanoseconds for which the next request is looked for.
    private static let lookAhead: UInt64 = 50_000

    /// - Parameter descriptors: that may be open; a request needs up to eight.
    init(_ session: OpaquePointer, _ log: Logger, descriptors: Int) {
        unsafe self.session = session
        self.log = log
        most = min(256, max(8, descriptors / 32))
        state = Monitor(State(shares: Shares(most: most)))
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
            state.change { $0.members[member.number] = nil }
            log.warning("no room for another thread")
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
                let waiting = state.withLock { state in
                    let waiting = state.takeFromBacklog()
                    if let waiting { state.shares.begin(waiting.user) }
                    return waiting
                }
                if let waiting {
                    unsafe waiting.process(session)
                    state.withLock { $0.shares.end(waiting.user) }
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
            if state.idle.count >= Self.fewest { return .end }
            member.order.withLock { $0 = nil }
            state.idle.append(member)
            return nil
        }
        return order ?? member.order.wait(atMost: 3_600_000) { $0 }
    }

    /// Receives and answers until enough others wait for requests; true if those come one after the other just now.
    private func receive(_ buffer: inout RequestBuffer) -> Bool {
        var isBurst = false
        while unsafe fuse_session_exited(session) == 0 {
            let began = System.monotonicNanoseconds
            if isBurst { unsafe System.awaitInput(fuse_session_fd(session), atMost: Self.lookAhead) }
            let got = unsafe buffer.receive(session)
            if got == -Errno.interrupted.rawValue { continue }
            if got <= 0 { break }
            let kind = buffer.kind
            isBurst = looksAhead && kind != .long && System.monotonicNanoseconds - began < 2 * Self.lookAhead
            let user = buffer.user
            if mayAnswer(kind, user) {
                let givenUp = buffer.interrupted.flatMap(takeFromBacklog)
                unsafe buffer.process(session)
                // Answered at once, now that it is known to be interrupted.
                unsafe givenUp?.process(session)
                let staysOn = state.withLock { state in
                    if kind != .immediate { state.shares.end(user) }
                    guard state.waiting < (isBurst || state.hasWork ? 1 : 2) else { return false }
                    state.waiting += 1
                    return true
                }
                if !staysOn { return isBurst }
            } else {
                state.withLock { state in
                    state.backlog.append(buffer)
                    state.waiting += 1
                }
                buffer = RequestBuffer()
            }
        }
        stop()
        return false
    }

    private func takeFromBacklog(_ number: UInt64) -> RequestBuffer? {
        state.withLock { state in
            state.backlog.firstIndex { $0.number == number }.map { state.backlog.remove(at: $0) }
        }
    }

    /// Sees to it that somebody waits for requests while this one is answered; false when all threads there may be, or
    /// the user's share of them, are busy, and it has to lie until one of them is not.
    private func mayAnswer(_ kind: RequestBuffer.Kind, _ user: UInt32) -> Bool {
        let (hasRoom, isAlone, canHandOver) = state.withLock { state in
            state.waiting -= 1
            state.requests += 1
            let hasRoom = kind == .immediate || state.shares.hasRoom(for: user)
            if hasRoom, kind != .immediate { state.shares.begin(user) }
            return (hasRoom, state.waiting == 0, self.canHandOver(state))
        }
        guard hasRoom else { return false }
        guard isAlone, kind != .immediate else { return true }
        let isHandedOver = kind == .long ? handOver() : canHandOver
        if !isHandedOver { state.withLock { $0.shares.end(user) } }
        if kind == .quick, isHandedOver, !isWatchAwake.withLock({ $0 }) { isWatchAwake.change { $0 = true } }
        return isHandedOver
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

    /// Looks every millisecond, while there is something to do, whether the thread on duty is stuck.
    private func watch() {
        var quietRounds = 0
        var last: UInt64 = 0
        while !state.withLock({ $0.isStopping }) {
            isWatchAwake.wait(atMost: 3_600_000) { $0 ? () : nil }
            System.sleep(nanoseconds: 1_000_000)
            let (requests, waiting) = state.withLock { ($0.requests, $0.waiting) }
            if requests == last, waiting == 0 { _ = handOver() }
            quietRounds = requests == last && waiting > 0 ? quietRounds + 1 : 0
            if quietRounds == 20 {
                quietRounds = 0
                isWatchAwake.withLock { $0 = false }
                // Who took a request just before has not woken us.
                if state.withLock({ $0.waiting == 0 }) { isWatchAwake.withLock { $0 = true } }
            }
            last = requests
        }
    }
}
