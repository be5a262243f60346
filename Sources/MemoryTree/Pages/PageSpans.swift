import ProcModel

/// The addresses of some mappings.
struct PageSpans: Sendable {
    /// In address order. Mappings at kernel addresses are included, although they have no page tables of the process.
    let ranges: [AddressRange]
    private let isOneMapping: Bool

    init(_ ranges: [AddressRange], isOneMapping: Bool) {
        self.ranges = ranges
        self.isOneMapping = isOneMapping
    }

    /// The ranges that have page tables of the process.
    var walkable: [AddressRange] { ranges.filter { $0.start >> 63 == 0 } }

    /// Addresses at which neighbouring pages are not merged.
    var borders: [UInt64] { isOneMapping ? [] : walkable.map(\.start) }
}
