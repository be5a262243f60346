import ProcModel
import ProcSource
import ProcText
import Testing

@testable import MemoryTree

@Suite("Table of nodes", .timeLimit(.minutes(1)))
struct TableOfNodesTests {
    @Test("every node says what it is", arguments: Entry.allCases)
    func documented(entry: Entry) {
        #expect(!entry.specification.meaning.isEmpty)
        #expect((entry.specification.parent == nil) == (entry == .root))
        #expect(entry.specification.parent.map { $0.kind == .directory } ?? true)
    }

    @Test("names are unique within their directory", arguments: Entry.allCases)
    func unique(entry: Entry) {
        let names = entry.children.compactMap(\.fixedName)
        #expect(Set(names).count == names.count)
    }

    @Test func nothingMayBeWritten() {
        #expect(Entry.allCases.allSatisfy { $0.kind == .link || $0.specification.mode & 0o222 == 0 })
    }

    @Test func readmeNamesEveryNodeAndColumn() {
        let readme = String(decoding: Handbook.readme, as: UTF8.self)
        for entry in Entry.allCases where entry != .root { #expect(readme.contains("  \(entry.path)")) }
        for (_, columns) in Handbook.tables {
            #expect(readme.contains(columns.map(\.name).joined(separator: " ")))
        }
    }

    @Test func legendExplainsEveryFlagStateAndKey() {
        let legend = String(decoding: Handbook.legend, as: UTF8.self).split(separator: "\n").map {
            $0.split(separator: " ").map(String.init)
        }
        for flag in FlagName.kernel + FlagName.pageMap {
            #expect(legend.contains { $0.starts(with: [String(flag.bit), String(flag.letter), flag.name]) })
        }
        for state in PageState.allCases { #expect(legend.contains { $0.first == state.name }) }
        for (key, _) in Capabilities.meanings { #expect(legend.contains { $0.first == key }) }
        for (key, _) in EntryCounts.states { #expect(legend.contains { $0.first == key }) }
    }
}

@Suite("Files of records", .timeLimit(.minutes(1)))
struct RecordFileTests {
    @Test func anyPartIsThatPartOfTheWhole() throws {
        let whole = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 7 ^ $0 >> 3) }
        let reader = Reader(.daemon)
        for blockSize in [8, 95, 1000, 4096] as [Int] {
            let file = RecordFile(size: 1000, blockSize: UInt64(blockSize)) { block, _ in
                Array(whole[Int(block) * blockSize..<min(1000, (Int(block) + 1) * blockSize)])
            }
            for offset in stride(from: 0, to: 1100, by: 13) {
                for count in [0, 1, 7, 8, 95, 96, 500, 2000] {
                    let part = try file.read(at: UInt64(offset), count: count, reader).flatMap { $0 }
                    #expect(part == Array(whole.dropFirst(offset).prefix(count)))
                }
            }
        }
    }

    @Test func dataAndHolesAreFound() throws {
        let data: [Range<UInt64>] = [8..<16, 64..<80]
        let file = OpenFile.record(RecordFile(size: 100, blockSize: 8, data: data) { _, _ in [] })
        #expect(file.seek(0, toData: true) == 8 && file.seek(0, toData: false) == 0)
        #expect(file.seek(10, toData: true) == 10 && file.seek(10, toData: false) == 16)
        #expect(file.seek(16, toData: true) == 64 && file.seek(79, toData: false) == 80)
        #expect(file.seek(80, toData: true) == nil && file.seek(80, toData: false) == 80)
        #expect(file.seek(100, toData: false) == nil)
    }
}
