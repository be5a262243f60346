import CFuse3
import Syscalls
import SystemPackage

/// Receives requests and decides which thread answers them.
extension Crew {
    /// Nanoseconds for which a thread spins until the next request comes.
    private static let longestSpin: UInt64 = 50_000
    /// With one processor, spinning would keep the sender of the next request from running.
    private static let spins = System.processorCount > 1

    private enum Turn {
        case now
        /// All threads allowed, in all or for the user, are busy: the request goes to the backlog.
        case later
        /// No thread can be started, and none is busy that could take the request later.
        case never
    }

    /// Receives and answers requests until enough other threads wait for them.
    /// - Returns: whether requests are coming in a burst.
    func receive(_ buffer: inout RequestBuffer) -> Bool {
        var isBurst = false
        while unsafe fuse_session_exited(session) == 0 {
            let began = System.monotonicNanoseconds
            if isBurst { unsafe System.awaitInput(fuse_session_fd(session), atMost: Self.longestSpin) }
            let got = unsafe buffer.receive(session)
            if got == -Errno.interrupted.rawValue { continue }
            if got <= 0 { break }
            let kind = buffer.kind
            isBurst = Self.spins && kind != .long && System.monotonicNanoseconds - began < 2 * Self.longestSpin
            let user = buffer.user
            switch turn(kind, user) {
            case .now:
                process(buffer)
                if !roster.withLock({ $0.answered(kind, user, isBurst: isBurst) }) { return isBurst }
            case .later:
                roster.withLock { roster in
                    roster.add(.request(buffer))
                    roster.waitsAgain()
                }
                buffer = RequestBuffer()
            case .never:
                unsafe buffer.refuse(session, .resourceTemporarilyUnavailable)
                roster.withLock { $0.waitsAgain() }
            }
        }
        stop()
        return false
    }

    /// Makes sure that a thread waits for requests while this one is answered.
    private func turn(_ kind: RequestBuffer.Kind, _ user: UInt32) -> Turn {
        let received = roster.withLock { $0.received(kind, user) }
        guard received.hasRoom else { return .later }
        if kind == .quick { wakeWatch() }
        guard received.isAlone, kind != .immediate else { return .now }
        let isHandedOver = kind == .long ? handOver() : received.canHandOver
        guard !isHandedOver else { return .now }
        return roster.withLock { $0.postpone(for: user) } ? .later : .never
    }

    private func process(_ buffer: RequestBuffer) {
        if let number = buffer.interrupted, let givenUp = roster.withLock({ $0.take(request: number) }) {
            unsafe givenUp.refuse(session, .interrupted)
        } else {
            unsafe buffer.process(session)
        }
    }
}
