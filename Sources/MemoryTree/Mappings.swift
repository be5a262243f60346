import ProcModel
import ProcSource
import ProcText

/// The mappings of one address space at one instant.
package struct Mappings: Sendable {
    /// In address order, none twice.
    package let list: [VMA]

    init(_ list: [VMA]) { self.list = list }

    /// Position of the mapping with exactly this range.
    package func index(of range: AddressRange) -> Int? {
        let index = firstIndex(endingAbove: range.start)
        return index < list.count && list[index].range == range ? index : nil
    }

    /// The mapping that holds the address.
    package func mapping(holding address: UInt64) -> VMA? {
        let index = firstIndex(endingAbove: address)
        return index < list.count && list[index].range.contains(address) ? list[index] : nil
    }

    /// Mappings that have page tables of the process, cut to the range.
    func spans(in range: AddressRange? = nil) -> [AddressRange] {
        list.compactMap { vma in
            if vma.isKernelAddress { return nil }
            return range.map { vma.range.intersection($0) } ?? vma.range
        }
    }

    /// Rough cost of keeping it, in bytes.
    var bytes: Int { list.reduce(256) { $0 + 160 + $1.text.count } }

    private func firstIndex(endingAbove address: UInt64) -> Int {
        var low = 0
        var high = list.count
        while low < high {
            let middle = (low + high) / 2
            if list[middle].range.end <= address { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
