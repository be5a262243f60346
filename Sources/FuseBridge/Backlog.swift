import ProcSource

/// Work that no thread could take, in the order in which it came.
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

    /// Whether there is any of a user who may keep another thread busy.
    func hasWork(_ shares: Quota) -> Bool { work.contains { shares.refusal(of: 1, to: $0.user) == nil } }

    mutating func add(_ work: Work) { self.work.append(work) }

    /// The first of a user who may keep another thread busy; from then on they do.
    mutating func take(_ shares: inout Quota) -> Work? {
        guard let index = work.firstIndex(where: { shares.refusal(of: 1, to: $0.user) == nil }) else { return nil }
        let taken = work.remove(at: index)
        shares.take(1, for: taken.user)
        return taken
    }

    /// The request of a number.
    mutating func take(request number: UInt64) -> RequestBuffer? {
        for (index, one) in work.enumerated() {
            guard case .request(let buffer) = one, buffer.number == number else { continue }
            work.remove(at: index)
            return buffer
        }
        return nil
    }
}
