import ProcModel

/// Pages counted by a property, such as their flags: the content of a table that adds up all pages.
package protocol PageCounts: Sendable {
    mutating func add(_ batch: PageBatch)
    mutating func add(_ other: Self)
    /// The rows and the total.
    func text(_ context: FrameContext) -> [UInt8]
}
