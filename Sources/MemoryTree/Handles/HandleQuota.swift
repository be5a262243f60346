import ProcSource
import Syscalls

/// What handles hold and what is made ahead of their readers, bounded in all and for each user.
///
/// `Quota` says who may have how much. What readers can do without, such as pieces made ahead of them, takes half at
/// most, so that it never lets an open fail.
package final class HandleQuota: Sendable {
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
    }

    private struct State {
        var handles, bytes: Quota
        var spare = 0
        /// Most bytes since the allocator was last asked to return what is free.
        var peak = 0
    }

    private let state: Monitor<State>

    /// What an open handle costs without its text.
    static let bytesPerHandle = 4096
    /// A peak that leaves so much behind that returning it is worth the time that takes.
    private static let peakToReturn = 32 << 20

    package init(most: Amount) {
        state = Monitor(State(handles: Quota(most: most.handles), bytes: Quota(most: most.bytes)))
    }

    /// The bounds of a daemon that may have so many descriptors open. A handle keeps one at most, or a few where few such
    /// handles have room; the rest is for processes held open and requests under way.
    package convenience init(descriptors: Int) {
        self.init(most: Amount(handles: max(8, descriptors / 2), bytes: 256 << 20))
    }

    package var total: Amount {
        state.withLock { Amount(handles: $0.handles.total, bytes: $0.bytes.total, spare: $0.spare) }
    }

    /// Room for a handle of the user.
    ///
    /// - Throws: ENFILE when there are too many, EMFILE when the user has too many, ENOMEM when they hold too much.
    package func openHandle(for user: UInt32) throws(ProcError) -> Charge {
        let charge = Charge(self, user)
        try charge.take(Amount(handles: 1, bytes: Self.bytesPerHandle))
        return charge
    }

    fileprivate func take(_ amount: Amount, for user: UInt32) throws(ProcError) {
        try state.withLock { state throws(ProcError) in
            if amount.handles > 0, let refusal = state.handles.refusal(of: amount.handles, to: user) {
                throw .failed(refusal == .allIsTaken ? .tooManyOpenFilesInSystem : .tooManyOpenFiles)
            }
            guard state.bytes.refusal(of: amount.bytes, to: user) == nil else { throw .failed(.noMemory) }
            add(amount, user, &state)
        }
    }

    fileprivate func takeSpare(_ bytes: Int, for user: UInt32) -> Bool {
        state.withLock { state in
            guard state.bytes.refusal(of: bytes, to: user, part: 2) == nil else { return false }
            add(Amount(bytes: bytes, spare: bytes), user, &state)
            return true
        }
    }

    private func add(_ amount: Amount, _ user: UInt32, _ state: inout State) {
        state.handles.take(amount.handles, for: user)
        state.bytes.take(amount.bytes, for: user)
        state.spare += amount.spare
        state.peak = max(state.peak, state.bytes.total)
    }

    fileprivate func giveBack(_ amount: Amount, of user: UInt32) {
        let wasMuch = state.withLock { state in
            state.handles.giveBack(amount.handles, of: user)
            state.bytes.giveBack(amount.bytes, of: user)
            state.spare -= amount.spare
            guard state.peak > Self.peakToReturn, state.bytes.total < state.peak / 4 else { return false }
            state.peak = state.bytes.total
            return true
        }
        // Takes its time, and whoever frees may have a reader waiting.
        if wasMuch { Thread.start { System.returnFreeMemory() } }
    }
}

/// What one handle, or the work for one reader, holds; all of it is given back with the last reference.
package final class Charge: Sendable {
    private let quota: HandleQuota
    private let user: UInt32
    private let held = Monitor(HandleQuota.Amount())

    init(_ quota: HandleQuota, _ user: UInt32) {
        self.quota = quota
        self.user = user
    }

    deinit { quota.giveBack(held.withLock { $0 }, of: user) }

    /// Counts bytes that cannot be done without.
    ///
    /// - Throws: ENOMEM when there is no room for them.
    package func take(bytes: Int) throws(ProcError) { try take(HandleQuota.Amount(bytes: bytes)) }

    fileprivate func take(_ amount: HandleQuota.Amount) throws(ProcError) {
        try quota.take(amount, for: user)
        held.withLock { $0 += amount }
    }

    /// Counts bytes that can be done without; false when there is no room for them.
    package func takeSpare(bytes: Int) -> Bool {
        guard quota.takeSpare(bytes, for: user) else { return false }
        held.withLock { $0 += HandleQuota.Amount(bytes: bytes, spare: bytes) }
        return true
    }
}
