import ProcModel
import ProcText

/// A row of `files`.
struct FileRow {
    let vma: VMA
    let object: MappedObject
    /// Mode of the link in map_files. Its owner bits say how the file was opened.
    let mode: UInt32

    static let table = Table<FileRow>([
        Column("range", 25, .left, "start and end address, hex") { .range($0.vma.range) },
        Column("mode", 4, .left, "access to the file, as in map_files") { .word($0.openMode) },
        Column("device", 7, .left, "device of the file, major:minor, hex") { $0.vma.device },
        Column("inode", 10, .right, "inode number of the file") { .number($0.vma.inode) },
        Column("offset", 9, .left, "offset in the file, hex") { .hex($0.vma.offset) },
        Column("deleted", 7, .left, "whether the file is deleted (has no link left): yes, no, or - if unknown") {
            $0.object.deleted
        },
        Column("path", 0, .left, gap: 0, "path of the file") { .name(ifAny: $0.object.name) },
    ])

    private var openMode: String { (mode & 0o400 != 0 ? "r" : "-") + (mode & 0o200 != 0 ? "w" : "-") + "-" }
}
