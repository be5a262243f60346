import ProcText

/// Every entry of the tree. Its row is the only place that says its name, where it stands and what it shows. The README
/// in the tree, the manual page and docs/tree.md are generated from the rows. Directories list entries in this order.
package enum Entry: UInt8, CaseIterable, Sendable {
    case root, readme, capabilities, legend, status, ownProcess, byName, nameGroup, namedProcess
    case process, processInfo, mappingInfo, summary, layout, pages, ranges, flags, mapCounts, letters, strip, fill,
        files
    case mapsLink, smapsLink, smapsRollupLink, pagemapLink, mapFilesLink
    case mappings, mapping, backing, maps, smaps, raw, rawPagemap, rawKpageflags, rawKpagecount, rawKpagecgroup
    case at, atAddress, byLabel, labelled

    private var makeRow: Row {
        switch self {
        case .root: directory(.fixed("/"), in: [], asking: .finding, "the mount point")
        case .readme: text("README", in: .root, "the names, the columns, examples", .readme)
        case .capabilities:
            report(
                "capabilities", in: .root, 0o444, size: .exact, "what this kernel offers and what you may see",
                .capabilities)
        case .legend: text("legend", in: .root, "what every state, flag, column and key means", .legend)
        case .status:
            report("status", in: .root, 0o444, "statistics of the daemon: requests, cache, memory, time", .status)
        case .ownProcess: link(.fixed("self"), in: .root, "the process that reads the link", .ownProcess)
        case .byName: directory(.fixed("by-name"), in: [.root], asking: .finding, "processes by name")
        case .nameGroup:
            directory(.pattern("NAME", .commands), in: [.byName], asking: .finding, "the processes with this name")
        case .namedProcess: link(.pattern("PID", .processesOfCommand), in: .nameGroup, "the process", .namedProcess)

        case .process: directory(.pattern("PID", .processes), in: [.root], asking: .process, "a process")
        case .processInfo:
            report(
                "info", in: .process, 0o444, size: .exact, "name, state, user, start, threads, executable",
                .processInfo)
        case .mappingInfo:
            report("info", in: .mapping, 0o444, "range, permissions, file, label, VmFlags in words", .mappingInfo)
        case .summary:
            Row(
                .fixed("summary"), in: [.process, .mapping], .report, 0o444,
                "totals: smaps, Uss, pages in each state",
                .summary)
        case .layout:
            Row(
                .fixed("layout"), in: [.process], .table, 0o444, columns: LayoutRow.table.headings,
                "one line per mapping: sizes, label, name", .layout)
        case .pages: table("pages", PageRow.table.headings, "one line per page with a page table entry", .pages)
        case .ranges: table("ranges", PageRange.table.headings, "pages, equal neighbours merged", .ranges)
        case .flags: table("flags", FlagCounts.table.headings, "how many pages have which flags", .flags)
        case .mapCounts: table("mapcounts", MapCounts.table.headings, "how many pages are mapped how often", .mapCounts)
        case .letters:
            Row(
                .fixed("letters"), in: [.mapping], .fixed, 0o400, size: .counted(byScan: true, Opening.lettersSize),
                columns: Letters.table.headings,
                "like pages, in lines of fixed width, a letter per flag", .letters)
        case .strip: picture("strip", "picture: what the pages are, 64 characters per line", .strip)
        case .fill: picture("fill", "picture: how many of the pages have an entry", .fill)
        case .files:
            Row(
                .fixed("files"), in: [.process], .table, 0o400, columns: FileRow.table.headings,
                "the file behind each mapping: device, inode, path",
                .files)
        case .mapsLink: kernelLink("maps")
        case .smapsLink: kernelLink("smaps")
        case .smapsRollupLink: kernelLink("smaps_rollup")
        case .pagemapLink: kernelLink("pagemap")
        case .mapFilesLink: kernelLink("map_files")

        case .mappings:
            directory(.fixed("vma"), in: [.process], asking: .memory, "the mappings (VMAs), in address order")
        case .mapping:
            directory(
                .pattern("RANGE", .mappings), in: [.mappings], asking: .memory,
                "a mapping, named START-END as in map_files")
        case .backing:
            Row(
                .fixed("backing"), in: [.mapping], .link, 0o777, needsFile: true,
                "link to the mapped file or object, if there is one", .mapFilesLink)
        case .maps: kernelLines("maps", "its line of /proc/PID/maps, unchanged", .maps)
        case .smaps: kernelLines("smaps", "its lines of /proc/PID/smaps, unchanged", .smaps)
        case .raw:
            Row(
                .fixed("raw"), in: [.mapping], .directory, 0o555, lookUpOnly: true,
                "64-bit words, one per page, 0 for holes", .directory(.memory))
        case .rawPagemap: words("pagemap", of: "/proc/PID/pagemap", .rawPagemap)
        case .rawKpageflags: words("kpageflags", of: "/proc/kpageflags", .rawKpageflags)
        case .rawKpagecount: words("kpagecount", of: "/proc/kpagecount", .rawKpagecount)
        case .rawKpagecgroup: words("kpagecgroup", of: "/proc/kpagecgroup", .rawKpagecgroup)

        case .at: directory(.fixed("at"), in: [.process], asking: .process, "mappings by address")
        case .atAddress:
            Row(
                .pattern("ADDRESS", .addresses), in: [.at], .link, 0o777, lookUpOnly: true,
                "the mapping that contains the address", .mappingOfAddress)
        case .byLabel:
            directory(
                .fixed("by-label"), in: [.process], asking: .memory, "mappings by label: heap, stack, libc.so.6")
        case .labelled:
            link(
                .pattern("LABEL", .labels), in: .byLabel, "the mapping; the second one is LABEL.2", .mappingOfLabel)
        }
    }

    package var row: Row { Self.rows[Int(rawValue)] }

    package var kind: Row.Kind { row.kind }

    private static let rows: [Row] = allCases.map(\.makeRow)

    private func directory(_ name: Row.Name, in parents: [Entry], asking: Content.Asking, _ meaning: String) -> Row {
        Row(name, in: parents, .directory, 0o555, meaning, .directory(asking))
    }

    private func link(_ name: Row.Name, in parent: Entry, _ meaning: String, _ content: Content) -> Row {
        Row(name, in: [parent], .link, 0o777, meaning, content)
    }

    private func kernelLink(_ name: String) -> Row {
        link(.fixed(name), in: .process, "link to /proc/PID/\(name)", .kernelFile(name))
    }

    private func text(_ name: String, in parent: Entry, _ meaning: String, _ content: Content) -> Row {
        Row(.fixed(name), in: [parent], .text, 0o444, size: .exact, meaning, content)
    }

    private func report(
        _ name: String, in parent: Entry, _ mode: UInt32, size: Row.Size = .fromOpenOn, _ meaning: String,
        _ content: Content
    ) -> Row {
        Row(.fixed(name), in: [parent], .report, mode, size: size, meaning, content)
    }

    /// A table about the pages of a process, of a mapping, or of a range of addresses.
    private func table(_ name: String, _ columns: [Heading], _ meaning: String, _ content: Content) -> Row {
        Row(.fixed(name), in: [.process, .mapping], .table, 0o400, ofRanges: true, columns: columns, meaning, content)
    }

    private func picture(_ name: String, _ meaning: String, _ content: Content) -> Row {
        Row(.fixed(name), in: [.process, .mapping], .text, 0o400, meaning, content)
    }

    private func kernelLines(_ name: String, _ meaning: String, _ content: Content) -> Row {
        Row(.fixed(name), in: [.mapping], .text, 0o444, meaning, content)
    }

    private func words(_ name: String, of file: String, _ content: Content) -> Row {
        Row(
            .fixed(name), in: [.raw], .fixed, 0o400, size: .counted(byScan: false, Opening.rawSize), "words of \(file)",
            content)
    }
}
