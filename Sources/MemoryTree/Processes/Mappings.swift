import ProcModel
import ProcSource
import ProcText

/// The mappings of one address space at one instant.
package struct Mappings: Sendable {
    /// In address order, without duplicates.
    package let list: [VMA]
    /// The text of maps that they were read from.
    private let text: [UInt8]

    init(_ list: [VMA], _ text: [UInt8] = []) {
        self.list = list
        self.text = text
    }

    /// The kernel's own line about the mapping with exactly this range.
    ///
    /// - Throws: `.absent` when there is none.
    func line(of range: AddressRange) throws(ProcError) -> [UInt8] {
        var (low, high) = (0, text.count)
        while low < high {
            let middle = (low + high) / 2
            let start = text[low..<middle].lastIndex(of: 0x0a).map { $0 + 1 } ?? low
            let end = text[middle..<high].firstIndex(of: 0x0a) ?? high - 1
            var cursor = ByteCursor(text, from: start, to: end)
            guard let address = cursor.hex() else { break }
            if address == range.start, cursor.skip(UInt8(ascii: "-")), cursor.hex() == range.end {
                return Array(text[start...end])
            }
            if address < range.start { low = end + 1 } else { high = start }
        }
        throw .absent
    }

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

    /// Roughly how many bytes it takes.
    var bytes: Int { list.reduce(256 + text.count) { $0 + 160 + $1.text.count } }

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
