/// The number of a page frame: which page of the machine's memory it is.
///
/// Words about frames are at this index of kpageflags and the like. Source: Documentation/admin-guide/mm/pagemap.rst.
public struct PFN: RawRepresentable, Hashable, Sendable {
    /// As the kernel gives it.
    public let rawValue: UInt64

    /// - Parameter rawValue: as the kernel gives it.
    @inlinable @inline(__always)
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// What pagemap gives instead of each number without the right to see them.
    @inlinable public static var hidden: PFN { PFN(rawValue: 0) }

    /// Whether both are the same frame.
    @inlinable @inline(__always)
    public static func == (first: PFN, second: PFN) -> Bool { first.rawValue == second.rawValue }

    /// The frame so many frames further on; wraps.
    @inlinable @inline(__always)
    public static func &+ (frame: PFN, count: UInt64) -> PFN { PFN(rawValue: frame.rawValue &+ count) }
}
