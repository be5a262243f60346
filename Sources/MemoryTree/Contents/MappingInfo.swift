import ProcModel
import ProcSource
import ProcText

/// What `info` of a mapping is made from.
struct MappingInfo {
    let vma: VMA
    let object: MappedObject
    /// The name in by-label; nil where there is none.
    let label: [UInt8]?
    let smaps: SMaps

    static let report = Report<MappingInfo>(ownKeys + kernelKeys + [raw])

    /// The keys that need no smaps.
    static let ownKeys: [Column<MappingInfo>] = [
        .key("Range", "start and end address, hex, the end not included") { .range($0.vma.range) },
        .size("Size", "size of the mapping") { $0.vma.range.size / 1024 },
        .key("Perms", "as in maps: rwx, then s for shared or p for private") { .word($0.vma.permissions.text) },
        .key("Offset", "offset in the file, hex") { .hex($0.vma.offset) },
        .key("Device", "major:minor of the file, hex") { $0.vma.device },
        .key("Inode", "inode number of the file") { .number($0.vma.inode) },
        .key("Name", "of a mapping: path, name in brackets, or -") { .name(ifAny: $0.object.name) },
        .key("Deleted", "whether the file is deleted (has no link left); - for no file or if unknown") {
            $0.object.deleted
        },
        .key("Label", "name in by-label, or -") { $0.label.map(Cell.text) ?? .absent },
    ]

    private static let kernelKeys = SMaps.keys.compactMap { key -> Column<MappingInfo>? in
        switch key.heading.name {
        case "KernelPageSize", "MMUPageSize", "THPeligible": key.of(\.smaps)
        case "VmFlags": Column(key.heading) { .word($0.flagMeanings) }
        default: nil
        }
    }

    static let raw = Column<MappingInfo>.key(
        "Raw", "names in the mapping's directory that are not listed"
    ) { _ in
        .word(Entry.raw.children.map { "raw/" + String(decoding: $0.fixedName!, as: UTF8.self) }.joined(separator: " "))
    }

    private var flagMeanings: String {
        let codes = smaps["VmFlags"]?.value.split(separator: " ") ?? []
        return codes.map { "\(VMFlags.meaning(String($0))) (\($0))" }.joined(separator: ", ")
    }
}

extension VMA {
    /// `major:minor` in hex.
    var device: Cell {
        .text {
            $0.hex(UInt64(deviceMajor), minimum: 2)
            $0.byte(":")
            $0.hex(UInt64(deviceMinor), minimum: 2)
        }
    }
}

extension MappedObject {
    /// Whether the file has no link left.
    var deleted: Cell { .word(ifAny: isDeleted.map { $0 ? "yes" : "no" }) }
}

extension Content {
    static let mappingInfo = mapping { opening, range throws(ProcError) in
        try opening.shared { () throws(ProcError) in
            let (tree, process, reader) = (opening.tree, opening.process, opening.reader)
            let labels = try tree.labels(of: process, holding: range, reader)
            guard let index = labels.mappings.index(of: range) else { throw .absent }
            var text = LineWriter()
            MappingInfo.report.append(
                MappingInfo(
                    vma: labels.mappings.list[index], object: labels.objects[index], label: labels.labels[index],
                    smaps: try SMaps(block: Array(try tree.smaps(range, process, reader)))),
                to: &text)
            return text.bytes
        }
    }
}
