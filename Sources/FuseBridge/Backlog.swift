import MemoryTree

/// Work that no thread was free to take, in order of arrival.
struct Backlog {
    enum Work {
        case request(RequestBuffer)
        /// The work for a request that had to wait.
        case resumed(user: UInt32, run: @Sendable () -> Void)

        var user: UInt32 {
            switch self {
            case .request(let buffer): buffer.user
            case .resumed(let user, _): user
            }
        }
    }

    private var work: [Work] = []

    /// Whether it has work of a user who may have one more busy thread.
    func hasWork(_ threads: BusyThreads) -> Bool { work.contains { threads.hasRoom(for: $0.user) } }

    mutating func add(_ work: Work) { self.work.append(work) }

    /// Takes out the first work of a user who may have one more busy thread, and counts that thread.
    mutating func take(_ threads: inout BusyThreads) -> Work? {
        guard let index = work.firstIndex(where: { [threads] in threads.hasRoom(for: $0.user) }) else { return nil }
        let taken = work.remove(at: index)
        threads.begin(for: taken.user)
        return taken
    }

    /// Takes out the request with this number; nil when it is not here.
    mutating func take(request number: RequestNumber) -> RequestBuffer? {
        for (index, one) in work.enumerated() {
            guard case .request(let buffer) = one, buffer.number == number else { continue }
            work.remove(at: index)
            return buffer
        }
        return nil
    }
}
