import ProcModel
import ProcSource
import ProcText

/// The names of the mappings of one address space: the object behind each, and its name in by-label.
struct Labels: Sendable {
    let mappings: Mappings
    /// The object of each mapping, in the same order.
    let objects: [MappedObject]
    /// The name of each mapping in by-label; nil where it has none.
    let labels: [[UInt8]?]
    private let indexByLabel: [[UInt8]: Int]

    /// Tells objects apart without a system call: many mappings show the same one.
    private struct ObjectKey: Hashable {
        let deviceMajor, deviceMinor: UInt32
        let inode: UInt64
        let text: [UInt8]
    }

    /// - Parameter memory: gives the raw names of mappings whose line in maps is ambiguous.
    init(_ mappings: Mappings, memory: ProcessMemory?, _ reader: Reader) throws(ProcError) {
        self.mappings = mappings
        var known: [ObjectKey: MappedObject] = [:]
        var readBefore: FileSystems?
        func fileSystems() throws(ProcError) -> FileSystems {
            guard let memory else { throw .absent }
            let found = if let readBefore { readBefore } else { try FileSystems(of: memory.process) }
            readBefore = found
            return found
        }
        var objects: [MappedObject] = []
        objects.reserveCapacity(mappings.list.count)
        for vma in mappings.list {
            guard vma.hasFile else {
                objects.append(try MappedObject(vma, memory: memory, fileSystems))
                continue
            }
            try reader.checkInterrupted()
            let key = ObjectKey(
                deviceMajor: vma.deviceMajor, deviceMinor: vma.deviceMinor, inode: vma.inode, text: vma.text)
            let object =
                if let object = known[key] { object } else { try MappedObject(vma, memory: memory, fileSystems) }
            known[key] = object
            objects.append(object)
        }
        self.objects = objects
        try memory?.requireAlive()
        var labels: [[UInt8]?] = []
        var index: [[UInt8]: Int] = [:]
        var copies: [[UInt8]: Int] = [:]
        for (position, object) in objects.enumerated() {
            let word = mappings.list[position].text.isEmpty ? nil : Self.label(object.name)
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

    func mapping(labelled label: [UInt8]) -> VMA? { indexByLabel[label].map { mappings.list[$0] } }

    /// Roughly how many bytes it takes.
    var bytes: Int { labels.reduce(mappings.bytes) { $0 + 96 + 2 * ($1?.count ?? 0) } }
}
