import ProcModel
import ProcSource
import ProcText
import Testing

@testable import MemoryTree

private func string(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

private func text(_ body: (inout LineWriter) -> Void) -> String {
    var line = LineWriter()
    body(&line)
    return string(line.bytes)
}

private let vma = VMA(
    range: AddressRange(0x7f00_0000_0000, 0x7f00_0000_3000), permissions: [.read, .shared], offset: 0x1000,
    deviceMajor: 8, deviceMinor: 0x11, inode: 42, text: Array("/tmp/a b\\ (deleted)".utf8))

private let block = Array(
    """
    7f0000000000-7f0000003000 r--s 00001000 08:11 42 /tmp/a b
    Size:                 12 kB
    KernelPageSize:        4 kB
    Rss:                   8 kB
    Private_Clean:         4 kB
    Private_Dirty:         3 kB
    Unknown_size:        123 kB
    THPeligible:           0
    Unknown:        some words
    VmFlags: rd sh zz

    """.utf8)

@Suite("Tables and reports", .timeLimit(.minutes(1)))
struct ReportTests {
    @Test func headingsHaveMeaningsAndDistinctTitles() {
        let reports = [
            ProcessInfo.report.headings, MappingInfo.report.headings, Summary.ownKeys.map(\.heading),
            SMaps.keys.map(\.heading), Capability.report.headings,
            Status.daemon.headings + Status.memory.headings + Status.requests.headings + Status.opens.headings,
        ]
        for headings in reports + Handbook.tables.map(\.columns) {
            #expect(headings.allSatisfy { !$0.meaning.isEmpty && !$0.name.isEmpty })
            #expect(Set(headings.map(\.title)).count == headings.count)
        }
    }

    @Test func theLegendHasEachKeyOnce() {
        let reports = [
            ProcessIdentity.report.headings, ProcessInfo.report.headings, MappingInfo.report.headings,
            Summary.ownKeys.map(\.heading), SMaps.keys.map(\.heading),
        ]
        #expect(Set(reports.joined().map(\.name)) == Set(Handbook.keys.map(\.name)))
        #expect(Set(Handbook.keys.map(\.name)).count == Handbook.keys.count)
        let name = Handbook.keys.first { $0.name == "Name" }?.meaning
        #expect(name == "of a process: its command; of a mapping: path, name in brackets, or -")
    }

    @Test func aSummaryKeepsWhatTheKernelPrints() throws {
        var counts = EntryCounts()
        counts.add(.present, 2)
        counts.add(.guard, 1)
        let lines = """
            Size:                 12 kB
            KernelPageSize:        4 kB
            Rss:                   8 kB
            Private_Clean:         4 kB
            Private_Dirty:         3 kB
            Unknown_size:        123 kB
            THPeligible:    0
            Unknown:        some words
            VmFlags:        rd sh zz
            Uss:                   7 kB

            """
        let entries = ["Entries", "Present", "Swapped", "Zero", "Guard", "Marker", "Special"]
        func counted(_ numbers: [String]) -> String {
            zip(entries, numbers).map { key, number in "\((key + ":").padded(16))       \(number)\n" }.joined()
        }
        #expect(string(try Summary(block, counts).text) == lines + counted(["3", "2", "0", "0", "1", "0", "0"]))
        #expect(string(try Summary(block, nil).text) == lines + counted(entries.map { _ in "?" }))
    }

    @Test func infoOfAMappingIsTextAndJSON() throws {
        let info = MappingInfo(
            vma: vma, object: MappedObject(unasked: vma), label: Array("a\\x20b\\x5c".utf8),
            smaps: try SMaps(block: block))
        #expect(
            text { MappingInfo.report.append(info, to: &$0) } == """
                Range:          7f0000000000-7f0000003000
                Size:                 12 kB
                Perms:          r--s
                Offset:         1000
                Device:         08:11
                Inode:          42
                Name:           /tmp/a b\\x5c
                Deleted:        yes
                Label:          a\\x20b\\x5c
                KernelPageSize:        4 kB
                MMUPageSize:           0 kB
                THPeligible:    0
                VmFlags:        readable (rd), shared and opened for writing (sh), zz (zz)
                Raw:            raw/pagemap raw/kpageflags raw/kpagecount raw/kpagecgroup

                """)
        #expect(
            text { $0.object(info, MappingInfo.report.keys) }.hasPrefix(
                #"{"Range":"7f0000000000-7f0000003000","Size_kB":12,"Perms":"r--s","Offset":"1000","Device":"08:11","#
                    + #""Inode":42,"Name":"/tmp/a b\\x5c","Deleted":"yes","Label":"a\\x20b\\x5c","KernelPageSize_kB":4,"#
            ))
    }

    @Test func rowsOfLayoutAndFiles() {
        var sizes = ResidentSizes()
        sizes.rss = 8
        let layout = LayoutRow(vma: vma, sizes: sizes, label: nil, object: MappedObject(unasked: vma))
        #expect(
            text { LayoutRow.table.append(layout, to: &$0) }
                == "7f0000000000-7f0000003000 r--s          12        8        0        0        0  -                /tmp/a b\\x5c\n"
        )
        #expect(
            text { $0.object(layout, LayoutRow.table.columns) }
                == #"{"range":"7f0000000000-7f0000003000","perms":"r--s","size_kB":12,"rss_kB":8,"pss_kB":0,"uss_kB":0,"#
                + #""swap_kB":0,"name":"/tmp/a b\\x5c"}"#)
        let file = FileRow(vma: vma, object: MappedObject(unasked: vma), mode: 0o120700)
        #expect(
            text { FileRow.table.append(file, to: &$0) }
                == "7f0000000000-7f0000003000 rw-  08:11           42 1000      yes     /tmp/a b\\x5c\n")
    }

    @Test func capabilitiesAreYesOrNoWithTheReason() {
        let lines = text { Capability.report.append([.nodes: "because"], to: &$0) }.split(separator: "\n")
        #expect(lines.count == Capability.allCases.count)
        #expect(lines[0] == "Frames: yes" && lines.contains("Nodes: no (because)"))
    }
}
