import ProcModel

/// Pages counted by something that is true of them: the content of a table that is added up over all pages.
package protocol PageCounts: Sendable {
    mutating func add(_ batch: PageBatch)
    mutating func add(_ other: Self)
    /// The rows and the total.
    func text(_ context: FrameContext) -> [UInt8]
}
