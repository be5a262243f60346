import ProcModel
import ProcSource
import ProcText
import Syscalls
import SystemPackage

/// The mappings of one address space at one instant, with their labels.
package struct Mappings: Sendable {
    /// In address order, none twice.
    package let list: [VMA]
    /// Entry in by-label of each mapping, nil where it has none.
    package let labels: [[UInt8]?]
    private let indexByLabel: [[UInt8]: Int]

    /// - Parameter memory: asked for the raw names of mappings whose line in maps is ambiguous.
    init(_ list: [VMA], memory: ProcessMemory?) {
        self.list = list
        var labels: [[UInt8]?] = []
        var index: [[UInt8]: Int] = [:]
        var copies: [[UInt8]: Int] = [:]
        for (position, vma) in list.enumerated() {
            let word = vma.text.isEmpty ? nil : Self.label(MappedObject(vma, memory: memory).name)
            guard let word, let first = entryName(word) else {
                labels.append(nil)
                continue
            }
            var name: [UInt8]? = first
            while let taken = name, index[taken] != nil {
                copies[first, default: 1] += 1
                name = entryName(word + Array(".\(copies[first]!)".utf8))
            }
            if let name { index[name] = position }
            labels.append(name)
        }
        self.labels = labels
        indexByLabel = index
    }

    /// The last component of a path, or the word in brackets.
    private static func label(_ name: [UInt8]) -> [UInt8] {
        if name.first == UInt8(ascii: "["), name.last == UInt8(ascii: "]") { return Array(name.dropFirst().dropLast()) }
        guard name.first == UInt8(ascii: "/"), let slash = name.lastIndex(of: UInt8(ascii: "/")) else { return name }
        return Array(name[(slash + 1)...])
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

    package func mapping(labelled label: [UInt8]) -> VMA? { indexByLabel[label].map { list[$0] } }

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

/// The object behind a mapping: its raw name without the kernel's mark, and whether it is deleted.
package struct MappedObject: Equatable, Sendable {
    /// Raw bytes: path, word in brackets, or empty.
    package let name: [UInt8]
    /// nil without a file.
    package let isDeleted: Bool?

    private static let mark = Array(" (deleted)".utf8)
    private static let newline = Array("\\012".utf8)

    /// The text of maps decides unless it is ambiguous: it spells a newline `\012`, and ends in a mark that a living
    /// file's name may have too. Then the link in map_files, and the link count of what it leads to, decide.
    package init(_ vma: VMA, memory: ProcessMemory?) {
        guard vma.hasFile else {
            name = vma.text
            isDeleted = nil
            return
        }
        let link = String(range: vma.range)
        var name = vma.text
        let isMarked = name.hasSuffix(Self.mark)
        let isAmbiguous = name.contains(sequence: Self.newline)
        guard isMarked || isAmbiguous, let links = try? memory?.mapFiles() else {
            self.name = isMarked ? name.dropLast(Self.mark.count) : name
            isDeleted = isMarked
            return
        }
        if isAmbiguous, let raw = try? links.readLink(link) { name = raw }
        guard name.hasSuffix(Self.mark) else {
            self.name = name
            isDeleted = false
            return
        }
        let object = try? links.status(link)
        let named = memory.flatMap { memory in
            try? memory.process.directory.status(path: Array("root".utf8) + name, followLinks: false)
        }
        let isNamedSo = named.map { $0.inode == UInt(vma.inode) && $0.inode == object?.inode ?? $0.inode } ?? false
        isDeleted = object.map { $0.links == 0 } ?? !isNamedSo
        self.name = isNamedSo && isDeleted == false ? name : name.dropLast(Self.mark.count)
    }
}

extension String {
    /// `START-END`, as the links in map_files are called.
    init(range: AddressRange) {
        var writer = LineWriter(capacity: 33)
        writer.range(range)
        self = String(decoding: writer.bytes, as: UTF8.self)
    }
}

extension [UInt8] {
    fileprivate func hasSuffix(_ suffix: [UInt8]) -> Bool {
        count >= suffix.count && self[(count - suffix.count)...].elementsEqual(suffix)
    }

    fileprivate func dropLast(_ count: Int) -> [UInt8] { Array(self[..<(self.count - count)]) }

    fileprivate func contains(sequence: [UInt8]) -> Bool {
        guard count >= sequence.count else { return false }
        return indices.dropLast(sequence.count - 1).contains {
            self[$0] == sequence[0] && self[$0...].starts(with: sequence)
        }
    }
}
