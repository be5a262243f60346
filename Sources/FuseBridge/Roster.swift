import MemoryTree
import Syscalls

/// What each thread of the crew does, and the backlog. It only decides: it starts no thread and wakes none.
struct Roster {
    /// Which thread takes a task.
    enum Choice {
        /// This one, which is idle.
        case idle(Member)
        /// A new one: none is idle, and one more is allowed.
        case new
    }

    /// What is known about a request that was just received.
    struct Received {
        /// A thread may work on it. It is counted as busy from now on, unless the request is `immediate`.
        let hasRoom: Bool
        /// No other thread waits for requests.
        let isAlone: Bool
        /// Another thread could wait for requests.
        let canHandOver: Bool
    }

    /// Members by number, each with its thread once it runs.
    private var members: [Int: Thread?] = [:]
    private var last = 0
    /// Idle members, the most recent last.
    private var idle: [Member] = []
    /// How many wait for a request, or have been told to.
    private(set) var waiting = 0
    /// Requests received.
    private(set) var requests: UInt64 = 0
    /// Work that came when all threads were busy, or all that its user may have.
    private var backlog = Backlog()
    private var busy: BusyThreads
    var isStopping = false
    /// When a thread last could not be started, in nanoseconds; 0 for never.
    private var warned: UInt64 = 0

    /// How many idle threads stay for a while.
    private static let mostIdle = 4
    /// After this many nanoseconds without a failed start, the next one is worth a warning.
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

    /// Removes a member whose thread could not be started.
    ///
    /// - Returns: whether that is worth a warning.
    mutating func remove(unstarted member: Member, at now: UInt64) -> Bool {
        remove(member)
        // Another thread may have read the clock later but come here first.
        let since = now - min(now, warned)
        let isNews = warned == 0 || since > Self.pauseOfWarnings
        warned = max(warned, now)
        return isNews
    }

    /// Interrupts the system calls in which threads wait.
    func interruptAll() { for case let thread? in members.values { thread.interrupt() } }

    /// Takes out all idle members.
    mutating func takeIdle() -> [Member] {
        defer { idle = [] }
        return idle
    }

    /// Takes the member out of the idle ones; false when it was chosen meanwhile, so that an order comes.
    mutating func leaveIdle(_ member: Member) -> Bool {
        guard let index = idle.firstIndex(where: { $0 === member }) else { return false }
        idle.remove(at: index)
        return true
    }

    // MARK: Who does what

    private var canHandOver: Bool { !idle.isEmpty || members.count < busy.most }

    /// Whether there is something in the backlog that may be done now.
    var hasWork: Bool { backlog.hasWork(busy) }

    /// What a member does after its work; nil when it is idle from now on and waits for an order.
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

    /// Chooses the thread that waits for requests from now on; nil when all threads allowed are busy.
    mutating func receiver() -> Choice? {
        guard canHandOver else { return nil }
        waiting += 1
        return choice()
    }

    /// The chosen receiver could not be started.
    mutating func hasNoReceiver() { waiting -= 1 }

    /// Chooses the thread that works on the backlog; nil when nothing there may be done now, or all threads allowed are
    /// busy.
    mutating func worker() -> Choice? {
        guard hasWork, canHandOver, !isStopping else { return nil }
        return choice()
    }

    private mutating func choice() -> Choice { idle.popLast().map { .idle($0) } ?? .new }

    // MARK: Work

    mutating func add(_ work: Backlog.Work) { backlog.add(work) }

    /// Takes the next work out of the backlog. Call `end` when it is done.
    mutating func takeWork() -> Backlog.Work? { backlog.take(&busy) }

    mutating func end(for user: UInt32) { busy.end(for: user) }

    /// Takes a request out of the backlog, where no work has been done for it; nil when it is not there.
    mutating func take(request number: RequestNumber) -> RequestBuffer? { backlog.take(request: number) }

    /// Notes that a waiting thread has received a request.
    mutating func received(_ kind: RequestBuffer.Kind, _ user: UInt32) -> Received {
        waiting -= 1
        requests += 1
        let hasRoom = kind == .immediate || busy.hasRoom(for: user)
        if hasRoom, kind != .immediate { busy.begin(for: user) }
        return Received(hasRoom: hasRoom, isAlone: waiting == 0, canHandOver: canHandOver)
    }

    /// Notes that no other thread could be made to wait for requests, so the request cannot be answered now.
    ///
    /// - Returns: whether a busy thread can take it later.
    mutating func postpone(for user: UInt32) -> Bool {
        busy.end(for: user)
        return busy.total > 0 || members.count >= busy.most
    }

    /// Notes that a request is answered; true when the same thread waits for the next one.
    mutating func answered(_ kind: RequestBuffer.Kind, _ user: UInt32, isBurst: Bool) -> Bool {
        if kind != .immediate { busy.end(for: user) }
        guard waiting < (isBurst || hasWork ? 1 : 2) else { return false }
        waiting += 1
        return true
    }

    /// Notes that a request went to the backlog or was refused, and the same thread waits for the next one.
    mutating func waitsAgain() { waiting += 1 }
}
