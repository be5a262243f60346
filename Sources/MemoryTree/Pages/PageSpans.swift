import ProcModel

/// The addresses of some mappings.
struct PageSpans: Sendable {
    /// In address order; also those at kernel addresses, which have no page tables of the process.
    let ranges: [AddressRange]
    private let isOneMapping: Bool

    init(_ ranges: [AddressRange], isOneMapping: Bool) {
        self.ranges = ranges
        self.isOneMapping = isOneMapping
    }

    /// Those with page tables of the process.
    var walkable: [AddressRange] { ranges.filter { $0.start >> 63 == 0 } }

    /// Where neighbouring pages are not to be merged.
    var borders: [UInt64] { isOneMapping ? [] : walkable.map(\.start) }
}
