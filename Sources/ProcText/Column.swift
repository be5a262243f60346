/// One column of a table: its place in the line and what it says. Header, rows and documentation follow from it.
package struct Column: Sendable {
    package enum Alignment: Sendable { case left, right }

    package let name: String
    package let width: Int
    package let alignment: Alignment
    /// Blanks behind it; 0 for the last.
    package let gap: Int
    package let meaning: String

    /// Padding outside a table.
    package init(width: Int, alignment: Alignment) { self.init("", width, alignment, gap: 0, "") }

    init(_ name: String, _ width: Int, _ alignment: Alignment, gap: Int = 1, _ meaning: String) {
        self.name = name
        self.width = width
        self.alignment = alignment
        self.gap = gap
        self.meaning = meaning
    }
}

/// The tables of the tree: the columns of each, in order. Number and meaning of columns never change.
package enum Table {
    package static let pages: [Column] = [
        Column("address", 12, .left, gap: 2, "virtual address of the page, hex"),
        Column("state", 7, .left, gap: 2, "present, zero, swapped, guard, marker or special"),
        Column("frame", 8, .left, "PFN, hex; TYPE:OFFSET, decimal, if swapped or special; - for none; ? if hidden"),
        Column("mapcount", 8, .right, "how many times the frame is mapped (kpagecount)"),
        Column("cgroup", 6, .right, "inode number of the charged memory cgroup, 0 for none (kpagecgroup)"),
        Column("node", 4, .right, "NUMA node of the frame"),
        Column("flags", 0, .left, gap: 0, "names of the flags, first of kpageflags, then of pagemap; - for none"),
    ]

    package static let ranges: [Column] =
        [
            Column("start", 12, .left, gap: 1, "start address, hex"),
            Column("end", 12, .left, gap: 1, "end address, hex, not included"),
            Column("pages", 8, .right, "number of pages"),
        ] + pages[1...]

    package static let flags: [Column] = [
        Column("pages", 9, .left, "number of pages with this combination of flags"),
        Column("kB", 11, .right, gap: 2, "the same in kB"),
        Column("flags-word", 16, .left, "word of kpageflags, hex; - if not present; ? if hidden"),
        Column("names", 0, .left, gap: 0, "names of the flags; the state if the page is not present"),
    ]

    package static let mapCounts: [Column] = [
        Column("mapcount", 10, .right, "how often a page is mapped, from kpagecount; ? hidden"),
        Column("pages", 10, .right, "how many present pages are mapped so often, without the zero page"),
        Column("kB", 11, .right, "the same in kB"),
        Column("anon_kB", 11, .right, "of these, anonymous memory"),
        Column("file_kB", 11, .right, gap: 0, "of these, pages of files and shared memory"),
    ]

    package static let layout: [Column] = [
        Column("range", 25, .left, "start and end address, hex"),
        Column("perms", 5, .left, "permissions, as in maps"),
        Column("size_kB", 10, .right, "size of the mapping"),
        Column("rss_kB", 8, .right, "resident memory (Rss of smaps)"),
        Column("pss_kB", 8, .right, "proportional share of resident memory (Pss of smaps)"),
        Column("uss_kB", 8, .right, "private memory: Private_Clean + Private_Dirty + Private_Hugetlb"),
        Column("swap_kB", 8, .right, gap: 2, "swapped out (Swap of smaps)"),
        Column("label", 16, .left, "name in by-label, or -"),
        Column("name", 0, .left, gap: 0, "path, or a name in brackets such as [heap], or -"),
    ]

    package static let files: [Column] = [
        Column("range", 25, .left, "start and end address, hex"),
        Column("mode", 4, .left, "access to the file, as in map_files"),
        Column("device", 7, .left, "device of the file, major:minor, hex"),
        Column("inode", 10, .right, "inode number of the file"),
        Column("offset", 9, .left, "offset in the file, hex"),
        Column("deleted", 7, .left, "whether the file is deleted (has no link left): yes, no, or - if unknown"),
        Column("path", 0, .left, gap: 0, "path of the file"),
    ]

    package static let letters: [Column] = [
        Column("address", 16, .left, "virtual address of the page, hex"),
        Column("s", 1, .left, "letter of the state"),
        Column("frame", 19, .left, "as in pages"),
        Column("n", 10, .left, "mapcount"),
        Column("flags", 0, .left, gap: 0, "a letter or _ for each flag, then + if any other bit is set"),
    ]

    /// The second line of a table.
    package static func header(_ columns: [Column]) -> [UInt8] {
        var line = LineWriter()
        for (index, column) in columns.enumerated() {
            guard index == 0 else {
                line.field(column) { $0.text(column.name) }
                continue
            }
            line.text("# ")
            line.field(Column(column.name, column.width - 2, column.alignment, gap: column.gap, "")) {
                $0.text(column.name)
            }
        }
        line.trimBlanks()
        line.newline()
        return line.bytes
    }
}
