import ProcSource
import Syscalls

/// Limits what handles hold and what is made ahead of their readers, in all and for each user.
///
/// `Quota` defines the shares. Spare bytes are those that readers can do without, such as pieces made ahead of them.
/// They take half of the bytes at most, so that they never make an open fail.
package final class HandleQuota: Sendable {
    package struct Amount: Equatable, Sendable {
        package var handles: Int
        /// Bytes of text, and of what text is made from.
        package var bytes: Int
        /// The part of `bytes` that readers can do without.
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
        /// The highest total of bytes since free memory was last returned to the kernel.
        var peak = 0
    }

    private let state: Monitor<State>

    /// Bytes of an open handle, without its text.
    static let bytesPerHandle = 4096
    /// Bytes. After a lower peak, returning free memory is not worth the time.
    private static let peakToReturn = 32 << 20

    package init(most: Amount) {
        state = Monitor(State(handles: Quota(most: most.handles), bytes: Quota(most: most.bytes)))
    }

    /// The limits of a daemon that may have this many descriptors open. Half of them are for handles. Most handles keep
    /// one at most; those that keep a few hold so many bytes that only few of them fit. The rest is for processes held
    /// open and for requests.
    package convenience init(descriptors: Int) {
        self.init(most: Amount(handles: max(8, descriptors / 2), bytes: 256 << 20))
    }

    package var total: Amount {
        state.withLock { Amount(handles: $0.handles.total, bytes: $0.bytes.total, spare: $0.spare) }
    }

    /// Counts one more handle of the user.
    ///
    /// - Throws: ENFILE when there are too many handles, EMFILE when the user has too many, ENOMEM when too many bytes
    ///   are held.
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
        // In a thread of its own: it takes time, and a reader may be waiting for this one.
        if wasMuch { Thread.start { System.returnFreeMemory() } }
    }
}

/// What one handle, or the work for one reader, has taken of the quota. All of it is given back with the last
/// reference.
package final class Charge: Sendable {
    private let quota: HandleQuota
    private let user: UInt32
    private let held = Monitor(HandleQuota.Amount())

    init(_ quota: HandleQuota, _ user: UInt32) {
        self.quota = quota
        self.user = user
    }

    deinit { quota.giveBack(held.withLock { $0 }, of: user) }

    /// Counts bytes that the reader needs.
    ///
    /// - Throws: ENOMEM when the quota is used up.
    package func take(bytes: Int) throws(ProcError) { try take(HandleQuota.Amount(bytes: bytes)) }

    fileprivate func take(_ amount: HandleQuota.Amount) throws(ProcError) {
        try quota.take(amount, for: user)
        held.withLock { $0 += amount }
    }

    /// Counts bytes that the reader can do without; false when the quota for those is used up.
    package func takeSpare(bytes: Int) -> Bool {
        guard quota.takeSpare(bytes, for: user) else { return false }
        held.withLock { $0 += HandleQuota.Amount(bytes: bytes, spare: bytes) }
        return true
    }
}
