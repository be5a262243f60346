import ProcSource
import Syscalls

/// What handles hold and what is made ahead of their readers, bounded in all and for each user.
///
/// A plain user gets a quarter, so that nobody keeps the others out; root has the whole. What readers can do without,
/// such as pieces made ahead of them, takes half at most, so that it never lets an open fail.
package final class Holdings: Sendable {
    package struct Amount: Equatable, Sendable {
        package var handles: Int
        /// Bytes, of text or what it stands for.
        package var bytes: Int
        /// Of these, what readers can do without.
        package var spare: Int

        package init(handles: Int = 0, bytes: Int = 0, spare: Int = 0) {
            self.handles = handles
            self.bytes = bytes
            self.spare = spare
        }

        fileprivate static func += (left: inout Amount, right: Amount) {
            left.handles += right.handles
            left.bytes += right.bytes
            left.spare += right.spare
        }

        fileprivate static func -= (left: inout Amount, right: Amount) {
            left.handles -= right.handles
            left.bytes -= right.bytes
            left.spare -= right.spare
        }
    }

    private struct State {
        var total = Amount()
        /// Only of those who hold something.
        var users: [UInt32: Amount] = [:]
        /// Most bytes since the allocator was last asked to return what is free.
        var peak = 0
    }

    private let most: Amount
    private let state = Monitor(State())

    /// What an open handle costs without its text.
    static let bytesPerHandle = 4096
    /// A peak that leaves so much behind that returning it is worth the time that takes.
    private static let peakToReturn = 32 << 20

    package init(most: Amount) { self.most = most }

    /// The bounds of a daemon that may have so many descriptors open. A handle keeps one at most, or a few where few such
    /// handles have room; the rest is for processes held open and requests under way.
    package convenience init(descriptors: Int) {
        self.init(most: Amount(handles: max(8, descriptors / 2), bytes: 256 << 20))
    }

    package var total: Amount { state.withLock { $0.total } }

    /// Room for a handle of the user.
    ///
    /// - Throws: ENFILE when there are too many, EMFILE when the user has too many, ENOMEM when they hold too much.
    package func openHandle(for user: UInt32) throws(ProcError) -> Holding {
        let holding = Holding(self, user)
        try holding.take(Amount(handles: 1, bytes: Self.bytesPerHandle))
        return holding
    }

    fileprivate func take(_ amount: Amount, for user: UInt32) throws(ProcError) {
        try state.withLock { state throws(ProcError) in
            let share = share(of: user)
            let own = state.users[user] ?? Amount()
            if amount.handles > 0 {
                guard state.total.handles + amount.handles <= most.handles else {
                    throw .failed(.tooManyOpenFilesInSystem)
                }
                guard own.handles + amount.handles <= share.handles else { throw .failed(.tooManyOpenFiles) }
            }
            guard state.total.bytes + amount.bytes <= most.bytes, own.bytes + amount.bytes <= share.bytes else {
                throw .failed(.noMemory)
            }
            add(amount, user, &state)
        }
    }

    fileprivate func takeSpare(_ bytes: Int, for user: UInt32) -> Bool {
        state.withLock { state in
            let own = state.users[user]?.bytes ?? 0
            guard state.total.bytes + bytes <= most.bytes / 2, own + bytes <= share(of: user).bytes / 2 else {
                return false
            }
            add(Amount(bytes: bytes, spare: bytes), user, &state)
            return true
        }
    }

    private func share(of user: UInt32) -> Amount {
        user == 0 ? most : Amount(handles: most.handles / 4, bytes: most.bytes / 4)
    }

    private func add(_ amount: Amount, _ user: UInt32, _ state: inout State) {
        state.total += amount
        state.users[user, default: Amount()] += amount
        state.peak = max(state.peak, state.total.bytes)
    }

    fileprivate func giveBack(_ amount: Amount, of user: UInt32) {
        let wasMuch = state.withLock { state in
            state.total -= amount
            state.users[user]? -= amount
            if state.users[user] == Amount() { state.users[user] = nil }
            guard state.peak > Self.peakToReturn, state.total.bytes < state.peak / 4 else { return false }
            state.peak = state.total.bytes
            return true
        }
        // Takes its time, and whoever frees may have a reader waiting.
        if wasMuch { Thread.start { System.returnFreeMemory() } }
    }
}

/// What one handle, or the work for one reader, holds; all of it is given back with the last reference.
package final class Holding: Sendable {
    private let holdings: Holdings
    private let user: UInt32
    private let held = Monitor(Holdings.Amount())

    init(_ holdings: Holdings, _ user: UInt32) {
        self.holdings = holdings
        self.user = user
    }

    deinit { holdings.giveBack(held.withLock { $0 }, of: user) }

    /// Counts bytes that cannot be done without.
    ///
    /// - Throws: ENOMEM when there is no room for them.
    package func take(bytes: Int) throws(ProcError) { try take(Holdings.Amount(bytes: bytes)) }

    fileprivate func take(_ amount: Holdings.Amount) throws(ProcError) {
        try holdings.take(amount, for: user)
        held.withLock { $0 += amount }
    }

    /// Counts bytes that can be done without; false when there is no room for them.
    package func takeSpare(bytes: Int) -> Bool {
        guard holdings.takeSpare(bytes, for: user) else { return false }
        held.withLock { $0 += Holdings.Amount(bytes: bytes, spare: bytes) }
        return true
    }
}
