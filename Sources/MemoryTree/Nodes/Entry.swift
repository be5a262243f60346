/// Every kind of node in the tree. Its row in `specification` is the only place that says what it is called, where it
/// stands and what it shows; the in-tree README, the man page and docs/tree.md are generated from these rows.
package enum Entry: UInt8, CaseIterable, Sendable {
    case root, readme, capabilities, legend, status, selfLink, byName, byNameGroup, byNameLink
    case process, processInfo, processSummary, layout, processPages, processRanges, processFlags, processStrip
    case pagesOfRange, rangesOfRange, flagsOfRange, files
    case mapsLink, smapsLink, smapsRollupLink, pagemapLink, mapFilesLink
    case vmaFolder, vma, vmaInfo, vmaSummary, vmaPages, vmaRanges, vmaFlags, letters, vmaStrip, backing, vmaMaps
    case vmaSmaps, raw, rawPagemap, rawKpageflags, rawKpagecount, rawKpagecgroup
    case at, atLink, byLabel, byLabelLink

    package enum Kind: Sendable { case directory, file, link }

    /// How a file's text is built, and what tools may expect of its size.
    package enum Format: String, Sendable {
        case text, report, table, fixed, directory, link
    }

    /// When the size that stat shows is true.
    package enum Size: Sendable {
        /// Always.
        case exact
        /// 0 until the file has been opened; from then on that of the newest text.
        case fromOpenOn
    }

    package enum Name: Sendable, Equatable {
        case fixed(String)
        /// One node for each thing of the kind; the text stands for it in documentation.
        case pattern(String)
    }

    package struct Specification: Sendable {
        package let name: Name
        /// nil for the root.
        package let parent: Entry?
        package let format: Format
        /// Permission bits, as those of the file in /proc that it is made from.
        package let mode: UInt32
        /// Not listed: found by its name only, so that `find` and `grep -r` stay finite.
        package let isLookUpOnly: Bool
        package let size: Size
        package let meaning: String

        package var kind: Kind {
            switch format {
            case .directory: .directory
            case .link: .link
            case .text, .report, .table, .fixed: .file
            }
        }
    }

    package var specification: Specification {
        switch self {
        case .root: row(.fixed("/"), nil, .directory, 0o555, "the mount point")
        case .readme: row(.fixed("README"), .root, .text, 0o444, size: .exact, "what is here, the columns, examples")
        case .capabilities:
            row(
                .fixed("capabilities"), .root, .report, 0o444, size: .exact,
                "what this kernel offers and what you may see")
        case .legend:
            row(
                .fixed("legend"), .root, .text, 0o444, size: .exact,
                "every state, flag and key: bit, source, one sentence")
        case .status:
            row(.fixed("status"), .root, .report, 0o444, "the daemon about itself: requests, cache, memory, time")
        case .selfLink: row(.fixed("self"), .root, .link, 0o777, "the reader's own process")
        case .byName: row(.fixed("by-name"), .root, .directory, 0o555, "processes by name")
        case .byNameGroup: row(.pattern("NAME"), .byName, .directory, 0o555, "the processes of one name")
        case .byNameLink: row(.pattern("PID"), .byNameGroup, .link, 0o777, "the process")

        case .process: row(.pattern("PID"), .root, .directory, 0o555, "a process")
        case .processInfo:
            row(.fixed("info"), .process, .report, 0o444, size: .exact, "name, state, user, start, threads, executable")
        case .processSummary:
            row(.fixed("summary"), .process, .report, 0o444, "totals: smaps_rollup, Uss, pages by state")
        case .layout: row(.fixed("layout"), .process, .table, 0o444, "one line per mapping: the index of vma/")
        case .processPages:
            row(.fixed("pages"), .process, .table, 0o400, "one line per page that has an entry, all mappings")
        case .processRanges: row(.fixed("ranges"), .process, .table, 0o400, "the same, equal neighbours merged")
        case .processFlags: row(.fixed("flags"), .process, .table, 0o400, "how many pages carry which flags")
        case .processStrip: row(.fixed("strip"), .process, .text, 0o400, "all mappings end to end as a picture")
        case .pagesOfRange:
            row(
                .pattern("pages@START-END"), .process, .table, 0o400, lookUpOnly: true,
                "pages of any range of addresses")
        case .rangesOfRange:
            row(
                .pattern("ranges@START-END"), .process, .table, 0o400, lookUpOnly: true,
                "ranges of any range of addresses")
        case .flagsOfRange:
            row(
                .pattern("flags@START-END"), .process, .table, 0o400, lookUpOnly: true,
                "flags of any range of addresses")
        case .files: row(.fixed("files"), .process, .table, 0o400, "which object each mapping shows")
        case .mapsLink: row(.fixed("maps"), .process, .link, 0o777, "to /proc/PID/maps")
        case .smapsLink: row(.fixed("smaps"), .process, .link, 0o777, "to /proc/PID/smaps")
        case .smapsRollupLink: row(.fixed("smaps_rollup"), .process, .link, 0o777, "to /proc/PID/smaps_rollup")
        case .pagemapLink: row(.fixed("pagemap"), .process, .link, 0o777, "to /proc/PID/pagemap")
        case .mapFilesLink: row(.fixed("map_files"), .process, .link, 0o777, "to /proc/PID/map_files")

        case .vmaFolder: row(.fixed("vma"), .process, .directory, 0o555, "the mappings, in address order")
        case .vma: row(.pattern("RANGE"), .vmaFolder, .directory, 0o555, "a mapping, named as in map_files")
        case .vmaInfo: row(.fixed("info"), .vma, .report, 0o444, "everything /proc knows of the mapping, spelled out")
        case .vmaSummary: row(.fixed("summary"), .vma, .report, 0o444, "its totals: smaps, Uss, pages by state")
        case .vmaPages: row(.fixed("pages"), .vma, .table, 0o400, "one line per page that has an entry, flags in words")
        case .vmaRanges: row(.fixed("ranges"), .vma, .table, 0o400, "the same, equal neighbours merged")
        case .vmaFlags: row(.fixed("flags"), .vma, .table, 0o400, "how many pages carry which flags")
        case .letters:
            row(
                .fixed("letters"), .vma, .fixed, 0o400, size: .exact,
                "one line of fixed width per page that has an entry")
        case .vmaStrip: row(.fixed("strip"), .vma, .text, 0o400, "the mapping as a picture of 64 columns")
        case .backing: row(.fixed("backing"), .vma, .link, 0o777, "the mapped object itself, where there is one")
        case .vmaMaps: row(.fixed("maps"), .vma, .text, 0o444, "the kernel's own line, byte for byte")
        case .vmaSmaps: row(.fixed("smaps"), .vma, .text, 0o444, "the kernel's own lines, byte for byte")
        case .raw:
            row(.fixed("raw"), .vma, .directory, 0o555, lookUpOnly: true, "arrays of u64, one per page, holes as 0")
        case .rawPagemap: row(.fixed("pagemap"), .raw, .fixed, 0o400, size: .exact, "words of /proc/PID/pagemap")
        case .rawKpageflags: row(.fixed("kpageflags"), .raw, .fixed, 0o400, size: .exact, "words of /proc/kpageflags")
        case .rawKpagecount: row(.fixed("kpagecount"), .raw, .fixed, 0o400, size: .exact, "words of /proc/kpagecount")
        case .rawKpagecgroup:
            row(.fixed("kpagecgroup"), .raw, .fixed, 0o400, size: .exact, "words of /proc/kpagecgroup")

        case .at: row(.fixed("at"), .process, .directory, 0o555, "mappings by any address in them")
        case .atLink:
            row(.pattern("ADDRESS"), .at, .link, 0o777, lookUpOnly: true, "the mapping that holds the address")
        case .byLabel: row(.fixed("by-label"), .process, .directory, 0o555, "mappings by label: heap, stack, libc.so.6")
        case .byLabelLink: row(.pattern("LABEL"), .byLabel, .link, 0o777, "the mapping; a second of a name is LABEL.2")
        }
    }

    private func row(
        _ name: Name, _ parent: Entry?, _ format: Format, _ mode: UInt32, size: Size = .fromOpenOn,
        lookUpOnly: Bool = false, _ meaning: String
    ) -> Specification {
        Specification(
            name: name, parent: parent, format: format, mode: mode, isLookUpOnly: lookUpOnly, size: size,
            meaning: meaning)
    }

    /// What stands in the directory, in the order of the table.
    package var children: [Entry] { Self.childrenTable[Int(rawValue)] }

    private static let childrenTable: [[Entry]] = allCases.map { parent in
        allCases.filter { $0.specification.parent == parent }
    }

    /// The fixed name as bytes, nil for a pattern.
    package var fixedName: [UInt8]? { Self.fixedNames[Int(rawValue)] }

    private static let fixedNames: [[UInt8]?] = allCases.map { entry in
        if case .fixed(let name) = entry.specification.name { Array(name.utf8) } else { nil }
    }

    package var kind: Kind { specification.kind }
}
