import MemoryTree
import Syscalls

/// Who of the crew does what, and what lies in the backlog. Decides only: starts no thread and wakes none.
struct Roster {
    /// Who does what has come up.
    enum Choice {
        /// One who had nothing to do.
        case idle(Member)
        /// Nobody is idle, and there may be one more.
        case new
    }

    /// What is known of a request that was just received.
    struct Received {
        /// A thread may be busy with it; one is counted now, unless the request waits for nothing.
        let hasRoom: Bool
        /// Nobody else waits for requests.
        let isAlone: Bool
        /// Somebody else could.
        let canHandOver: Bool
    }

    /// By number: their threads, once they run.
    private var members: [Int: Thread?] = [:]
    private var last = 0
    /// Those who have nothing to do, the one who has just stopped last.
    private var idle: [Member] = []
    /// How many wait for a request, or have been told to.
    private(set) var waiting = 0
    /// Requests received.
    private(set) var requests: UInt64 = 0
    /// What came when all threads were busy, or all that may be for its user.
    private var backlog = Backlog()
    private var busy: BusyThreads
    var isStopping = false
    /// When a thread could not be started last; nanoseconds.
    private var warned: UInt64 = 0

    /// Threads that stay for a while when there is little to do.
    private static let mostIdle = 4
    /// Nanoseconds without a warning after which the next one is news.
    private static let pauseOfWarnings: UInt64 = 60_000_000_000

    init(_ busy: BusyThreads) { self.busy = busy }

    // MARK: Members

    var isEmpty: Bool { members.isEmpty }

    mutating func add() -> Member {
        last += 1
        members[last] = .some(nil)
        return Member(number: last)
    }

    mutating func began(_ member: Member, _ thread: Thread) { members[member.number] = thread }

    mutating func remove(_ member: Member) { members[member.number] = nil }

    /// Takes out one whose thread could not be started.
    ///
    /// - Returns: whether that is worth a warning.
    mutating func remove(unstarted member: Member, at now: UInt64) -> Bool {
        remove(member)
        // Another thread may have looked at the clock later, and be here first.
        let since = now - min(now, warned)
        let isNews = warned == 0 || since > Self.pauseOfWarnings
        warned = max(warned, now)
        return isNews
    }

    /// Makes system calls of all threads return that wait for something.
    func interruptAll() { for case let thread? in members.values { thread.interrupt() } }

    /// Takes out those who have nothing to do.
    mutating func takeIdle() -> [Member] {
        defer { idle = [] }
        return idle
    }

    /// No longer idle; false when somebody has chosen this one meanwhile, and an order comes.
    mutating func leaveIdle(_ member: Member) -> Bool {
        guard let index = idle.firstIndex(where: { $0 === member }) else { return false }
        idle.remove(at: index)
        return true
    }

    // MARK: Who does what

    private var canHandOver: Bool { !idle.isEmpty || members.count < busy.most }

    /// Whether there is something in the backlog that may be done now.
    var hasWork: Bool { backlog.hasWork(busy) }

    /// What a member does next that is done; nil when it is idle from now on, and waits for an order.
    mutating func nextOrder(for member: Member, isBurst: Bool) -> Member.Order? {
        if isStopping { return .end }
        if waiting > 0, hasWork { return .backlog }
        if waiting < (isBurst ? 1 : 2) {
            waiting += 1
            return .receive
        }
        if idle.count >= Self.mostIdle { return .end }
        idle.append(member)
        return nil
    }

    /// Who waits for requests from now on; nil when all there may be are busy.
    mutating func receiver() -> Choice? {
        guard canHandOver else { return nil }
        waiting += 1
        return choice()
    }

    /// The chosen receiver could not be started.
    mutating func hasNoReceiver() { waiting -= 1 }

    /// Who does what lies in the backlog; nil when there is nothing, or all there may be are busy.
    mutating func worker() -> Choice? {
        guard hasWork, canHandOver, !isStopping else { return nil }
        return choice()
    }

    private mutating func choice() -> Choice { idle.popLast().map { .idle($0) } ?? .new }

    // MARK: Work

    mutating func add(_ work: Backlog.Work) { backlog.add(work) }

    /// What is to be done next of the backlog; `end` tells when it is done.
    mutating func takeWork() -> Backlog.Work? { backlog.take(&busy) }

    mutating func end(for user: UInt32) { busy.end(for: user) }

    /// Takes out a request that lies in the backlog: nothing of it is done yet.
    mutating func take(request number: RequestNumber) -> RequestBuffer? { backlog.take(request: number) }

    /// One who waited has received a request.
    mutating func received(_ kind: RequestBuffer.Kind, _ user: UInt32) -> Received {
        waiting -= 1
        requests += 1
        let hasRoom = kind == .immediate || busy.hasRoom(for: user)
        if hasRoom, kind != .immediate { busy.begin(for: user) }
        return Received(hasRoom: hasRoom, isAlone: waiting == 0, canHandOver: canHandOver)
    }

    /// Nobody could be put on duty, so that the request cannot be answered now.
    ///
    /// - Returns: whether somebody is busy, and sees to it later.
    mutating func postpone(for user: UInt32) -> Bool {
        busy.end(for: user)
        return busy.total > 0 || members.count >= busy.most
    }

    /// A request is answered; true when the same thread waits for the next one.
    mutating func answered(_ kind: RequestBuffer.Kind, _ user: UInt32, isBurst: Bool) -> Bool {
        if kind != .immediate { busy.end(for: user) }
        guard waiting < (isBurst || hasWork ? 1 : 2) else { return false }
        waiting += 1
        return true
    }

    /// A request lies in the backlog or was refused; the same thread waits for the next one.
    mutating func waitsAgain() { waiting += 1 }
}
