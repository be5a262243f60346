import ProcModel
import ProcSource

/// What the bytes of a file depend on besides the process: what its reader may ask the kernel, and which facts about
/// frames they may see.
package struct ReaderView: Hashable, Sendable {
    package let decision: AccessDecision
    package let frames: FrameView
}

/// The requester, and whether they still wait for the answer.
package struct Reader: Sendable {
    package let requester: Requester
    /// Whether the reader has stopped waiting. Cheap enough to ask after each piece of work.
    package let isInterrupted: @Sendable () -> Bool
    private let staysAway: @Sendable () -> Bool

    /// - Parameter staysAway: like `isInterrupted`, for places where work may pause: waits a moment for the reader to
    ///   ask again.
    package init(
        _ requester: Requester, isInterrupted: @escaping @Sendable () -> Bool = { false },
        staysAway: (@Sendable () -> Bool)? = nil
    ) {
        self.requester = requester
        self.isInterrupted = isInterrupted
        self.staysAway = staysAway ?? isInterrupted
    }

    /// - Throws: `.interrupted` when the reader has stopped waiting.
    package func checkInterrupted() throws(ProcError) {
        if staysAway() { throw .interrupted }
    }
}
