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
        Column("frame", 8, .left, "frame number (PFN), hex; TYPE:OFFSET in decimal when not present; - none; ? hidden"),
        Column("mapcount", 8, .right, "how often the frame is mapped, from kpagecount"),
        Column("cgroup", 6, .right, "inode number of the memory cgroup charged, 0 none, from kpagecgroup"),
        Column("node", 4, .right, "NUMA node of the frame"),
        Column("flags", 0, .left, gap: 0, "names of the flags, kpageflags then pagemap; - none"),
    ]

    package static let ranges: [Column] =
        [
            Column("start", 12, .left, gap: 1, "first address, hex"),
            Column("end", 12, .left, gap: 1, "behind the last address, hex"),
            Column("pages", 8, .right, "how many pages"),
        ] + pages[1...]

    package static let flags: [Column] = [
        Column("pages", 9, .left, "how many pages carry this combination"),
        Column("kB", 11, .right, gap: 2, "the same in kB"),
        Column("flags-word", 16, .left, "raw word of kpageflags, hex; - not present; ? hidden"),
        Column("names", 0, .left, gap: 0, "names of the flags; the state's name where not present"),
    ]

    package static let mapCounts: [Column] = [
        Column("mapcount", 10, .right, "how often a page is mapped, from kpagecount; ? hidden"),
        Column("pages", 10, .right, "how many present pages are mapped so often, without the zero page"),
        Column("kB", 11, .right, "the same in kB"),
        Column("anon_kB", 11, .right, "of these, anonymous memory"),
        Column("file_kB", 11, .right, gap: 0, "of these, pages of files and shared memory"),
    ]

    package static let layout: [Column] = [
        Column("range", 25, .left, "the mapping, hex"),
        Column("perms", 5, .left, "as in maps"),
        Column("size_kB", 10, .right, "length"),
        Column("rss_kB", 8, .right, "resident, from smaps"),
        Column("pss_kB", 8, .right, "proportional share, from smaps"),
        Column("uss_kB", 8, .right, "private clean + dirty + hugetlb"),
        Column("swap_kB", 8, .right, gap: 2, "swapped out"),
        Column("label", 16, .left, "name in by-label, or -"),
        Column("name", 0, .left, gap: 0, "path or word in brackets, or -"),
    ]

    package static let files: [Column] = [
        Column("range", 25, .left, "the mapping, hex"),
        Column("mode", 4, .left, "open mode of the file, as map_files shows it"),
        Column("device", 7, .left, "major:minor, hex as in maps"),
        Column("inode", 10, .right, "of the file"),
        Column("offset", 9, .left, "into the file, hex"),
        Column("deleted", 7, .left, "whether the file has no link left: yes or no"),
        Column("path", 0, .left, gap: 0, "of the file"),
    ]

    package static let letters: [Column] = [
        Column("address", 16, .left, "virtual address of the page, hex"),
        Column("s", 1, .left, "letter of the state"),
        Column("frame", 19, .left, "as in pages"),
        Column("n", 10, .left, "mapcount"),
        Column("flags", 0, .left, gap: 0, "a letter or _ for each flag, then + for a bit without a place"),
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
