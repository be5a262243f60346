import ProcModel
import ProcSource

/// What the bytes of a file depend on besides the process: what its reader may ask the kernel, and which facts about
/// frames he may see.
package struct ReaderView: Hashable, Sendable {
    package let decision: AccessDecision
    package let frames: FrameView
}

/// Who asks, and whether an answer is still waited for.
package struct Reader: Sendable {
    package let requester: Requester
    /// Whether the reader has given up; cheap enough to ask after each piece of work.
    package let isInterrupted: @Sendable () -> Bool
    private let staysAway: @Sendable () -> Bool

    /// - Parameter staysAway: the same, asked where work may rest: waits for a moment whether the reader comes back.
    package init(
        _ requester: Requester, isInterrupted: @escaping @Sendable () -> Bool = { false },
        staysAway: (@Sendable () -> Bool)? = nil
    ) {
        self.requester = requester
        self.isInterrupted = isInterrupted
        self.staysAway = staysAway ?? isInterrupted
    }

    /// - Throws: `.interrupted` when the reader has given up.
    package func checkInterrupted() throws(ProcError) {
        if staysAway() { throw .interrupted }
    }
}
