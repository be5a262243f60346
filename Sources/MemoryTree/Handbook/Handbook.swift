import ProcModel
import ProcSource
import ProcText
import Syscalls

/// Text about the tree, made from the tables of nodes, columns and flags.
package enum Handbook {
    /// The file `README`.
    static let readme: [UInt8] = {
        var text = LineWriter()
        text.text(
            """
            The memory of every process, page by page, as text. All files are read-only and generated when opened;
            listing a directory reads no page. M is this directory, PID a process, RANGE a mapping (START-END, hex).


            """)
        for place in Place.all { text.text(line(place, width: 34)) }
        text.text("\n* ls does not list these; open them by name.\n\nColumns\n")
        for (name, columns) in tables {
            text.text("  \(name.padded(10))\(columns.map(\.title).joined(separator: " "))\n")
        }
        text.text("  legend explains every state, flag and key; ? is hidden from you, - does not apply.\n\nExamples\n")
        for (command, meaning) in examples { text.text("  \(command.padded(58))\(meaning)\n") }
        text.text(
            """

            The kernel follows links into /proc in the /proc of the reader: in another pid namespace the same number
            may be another process. self is the process that reads the link.

            """)
        return text.bytes
    }()

    /// Commands and what each shows; M and PID as in README.
    package static let examples: [(command: String, meaning: String)] = [
        ("cat M/self/layout", "the mappings of this process, with sizes"),
        ("cat M/PID/by-label/heap/pages", "every page of the heap"),
        ("cat M/PID/flags", "how many pages have which flags"),
        ("cat M/PID/at/7f3a12345678/info", "what is mapped at this address"),
        ("sort -k4,4nr M/PID/layout | head", "the mappings with the most resident memory"),
        ("grep -c ' swapped ' M/PID/pages", "how many pages are swapped out"),
        ("grep -h ' guard ' M/PID/ranges", "the guard regions"),
        ("awk '!/^#/ && $4 > 1 { n++ } END { print n }' M/PID/pages", "how many pages are mapped more than once"),
        ("grep -l thp M/PID/vma/*/flags", "which mappings have huge pages"),
        ("grep Uss M/[0-9]*/summary | sort -k2nr | head", "which processes would free the most memory"),
        ("cp M/PID/by-label/app/backing /tmp/app", "recover a deleted binary that still runs"),
        ("cat 'M/PID/pages@7f3a00000000-7f3a00200000'", "the pages of any range of addresses"),
        ("od -tx8 M/PID/by-label/heap/raw/kpageflags", "the words of kpageflags"),
    ]

    static let tables: [(name: String, columns: [Heading])] = Entry.allCases.compactMap { entry in
        entry.row.columns.isEmpty ? nil : (entry.row.spelling, entry.row.columns)
    }

    /// The keys of `info` and `summary`, each once. A key of several reports has all its meanings.
    static let keys: [Heading] = {
        let reports = [
            ProcessInfo.report.headings, MappingInfo.ownKeys.map(\.heading), SMaps.keys.map(\.heading),
            Summary.ownKeys.map(\.heading), [MappingInfo.raw.heading],
        ]
        return reports.joined().reduce(into: []) { keys, key in
            guard let index = keys.firstIndex(where: { $0.name == key.name }) else { return keys.append(key) }
            keys[index].add(meaning: key.meaning)
        }
    }()

    /// The file `legend`.
    static let legend: [UInt8] = {
        var text = LineWriter()
        text.text("States of a page: name, letter (in the file letters), meaning\n")
        for state in PageState.allCases { text.text("  \(state.name.padded(10))\(state.letter)  \(state.meaning)\n") }
        text.text("\nFlags of a frame (/proc/kpageflags): bit, letter, name, meaning\n")
        for flag in FlagName.kernel + [FlagName.readahead, FlagName.anonExclusive] { text.text(line(flag)) }
        text.text(
            "  bitN is a bit that has no name.\n\nFlags of an entry (/proc/PID/pagemap): bit, letter, name, meaning\n")
        for flag in FlagName.pageMap { text.text(line(flag)) }
        text.text("\nCharacters of strip; the first one that applies is used\n")
        for kind in PageKind.allCases { text.text("  \(kind.letter)  \(kind.meaning)\n") }
        text.text("\nCharacters of fill\n")
        for (character, meaning) in Fill.characters { text.text("  \(character.padded(4))\(meaning)\n") }
        for (name, columns) in tables {
            text.text("\nColumns of \(name)\n")
            for column in columns { text.text("  \(column.title.padded(12))\(column.meaning)\n") }
        }
        text.text("\nKeys of reports (sizes in kB, numbers of pages without a unit)\n")
        for key in keys { text.text(line(key)) }
        text.text("\nKeys of status\n")
        for key in Status.headings { text.text(line(key)) }
        text.text("\nVmFlags (smaps): code, meaning\n")
        for (code, meaning) in VMFlags.meanings { text.text("  \(code)  \(meaning)\n") }
        text.text("\nKeys of capabilities\n")
        for key in Capability.report.headings { text.text(line(key)) }
        return text.bytes
    }()

    private static func line(_ key: Heading) -> String { "  \(key.name.padded(18))\(key.meaning)\n" }

    private static func line(_ flag: FlagName) -> String {
        "  \(String(flag.bit).padded(3))\(flag.letter)  \(flag.name.padded(16))\(flag.meaning)\n"
    }

    private static func line(_ place: Place, width: Int) -> String {
        let row = place.entry.row
        let path = place.path + (row.kind == .directory ? "/" : "") + (place.isLookUpOnly ? " *" : "")
        return "  \(path.padded(width))\(place.meaning)\n"
    }

    /// docs/tree.md: the nodes, the columns and the flags as Markdown.
    package static var markdown: String {
        var text = "| node | format | mode | size at stat | meaning |\n|---|---|---|---|---|\n"
        for place in Place.all {
            let row = place.entry.row
            let size =
                switch (row.kind, row.size) {
                case (.file, .exact), (.file, .counted): "exact"
                case (.file, .fromOpenOn): "0 until opened"
                case (.link, _): "length of the link"
                case (.directory, _): "-"
                }
            let star = place.isLookUpOnly ? " (not listed)" : ""
            text +=
                "| `\(place.path)`\(star) | \(row.format.rawValue) | \(String(row.mode, radix: 8)) | \(size) | \(place.meaning) |\n"
        }
        for (name, columns) in tables {
            text += "\n### Columns of `\(name)`\n\n| # | column | meaning |\n|---|---|---|\n"
            for (index, column) in columns.enumerated() {
                text += "| \(index + 1) | `\(column.title)` | \(column.meaning) |\n"
            }
        }
        text += "\n### Flags\n\n| bit | letter | name | source | meaning |\n|---|---|---|---|---|\n"
        for (source, flags) in [
            ("kpageflags", FlagName.kernel + [FlagName.readahead, FlagName.anonExclusive]),
            ("pagemap", FlagName.pageMap),
        ] {
            for flag in flags {
                text += "| \(flag.bit) | `\(flag.letter)` | `\(flag.name)` | \(source) | \(flag.meaning) |\n"
            }
        }
        return text
    }

    /// The kinds of refusal, for docs/security.md.
    package static var refusals: String {
        Refusal.allCases.reduce("| refused | because |\n|---|---|\n") { $0 + "| \($1.reason) | \($1.cause) |\n" }
    }

    /// The nodes as man(7) macros, for the manual page.
    package static var manual: String {
        var text = ""
        for place in Place.all {
            let star = place.isLookUpOnly ? " (not listed)" : ""
            text += ".TP\n.B \(place.path.roff)\n\(place.meaning.roff)\(star).\n"
        }
        return text
    }
}

extension String {
    func padded(_ width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }

    /// With roff's special characters escaped.
    fileprivate var roff: String {
        reduce(into: "") { $0 += $1 == "-" ? "\\-" : $1 == "\\" ? "\\e" : $1 == "@" ? "@" : String($1) }
    }
}

extension Content {
    static let readme = everybody { _ in Handbook.readme }
    static let legend = everybody { _ in Handbook.legend }
}
