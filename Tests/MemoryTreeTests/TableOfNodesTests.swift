import ProcModel
import ProcSource
import ProcText
import Syscalls
import Testing

@testable import MemoryTree

@Suite("Table of nodes", .timeLimit(.minutes(1)))
struct TableOfNodesTests {
    @Test("every node says what it is and stands in a directory", arguments: Entry.allCases)
    func documented(entry: Entry) {
        #expect(!entry.row.meaning.isEmpty)
        #expect(entry.row.parents.isEmpty == (entry == .root))
        #expect(entry.row.parents.allSatisfy { $0.kind == .directory })
        #expect(entry == .root || Place.all.contains { $0.entry == entry })
    }

    @Test(
        "names are unique within their directory, and one entry there is named by its things", arguments: Entry.allCases
    )
    func unique(entry: Entry) {
        let names = entry.allChildren.compactMap(\.fixedName)
        #expect(Set(names).count == names.count)
        #expect(entry.allChildren.count - names.count <= 1)
    }

    @Test func nothingMayBeWritten() {
        #expect(Entry.allCases.allSatisfy { $0.kind == .link || $0.row.mode & 0o222 == 0 })
    }

    @Test func readmeNamesEveryNodeAndColumn() {
        let readme = String(decoding: Handbook.readme, as: UTF8.self)
        for place in Place.all { #expect(readme.contains("  \(place.path)")) }
        for (_, columns) in Handbook.tables {
            #expect(readme.contains(columns.map(\.title).joined(separator: " ")))
        }
    }

    @Test("every place is reached by look-up and, if it is listed, by listing, and every file there opens")
    func placesAreReached() throws {
        let tree = try Tree(Tree.Options())
        let reader = Reader(.daemon)
        let names = try OwnNames(tree, reader)
        for place in Place.all {
            var (node, parent, name) = (Node.root, Node.root, [UInt8]())
            for component in place.path.split(separator: "/") {
                (parent, name) = (node, names.bytes(of: component))
                node = try tree.lookup(name, in: parent, for: reader)
            }
            #expect(node.entry == place.entry && node.scope.kind == place.scope, "\(place.path)")
            let listed = try tree.list(parent, for: reader).contains { $0.name == name }
            #expect(listed != place.isLookUpOnly, "\(place.path)")
            switch node.kind {
            case .directory: _ = try tree.openDirectory(node, for: reader)
            case .link: #expect(try !tree.target(of: node, for: reader).isEmpty, "\(place.path)")
            case .file:
                do throws(ProcError) {
                    let file = try tree.open(node, for: reader).file
                    #expect(try !file.read(at: 0, count: 64, reader).isEmpty, "\(place.path)")
                    file.settle(delivered: true)
                } catch {
                    // A plain user is refused the words of frames.
                    guard case .refused = error, System.userNumber != 0 else { throw error }
                }
            }
        }
    }

    /// What stands for the patterns in paths: of this process.
    private struct OwnNames {
        private let names: [Substring: [UInt8]]

        init(_ tree: Tree, _ reader: Reader) throws {
            let pid = Array(String(System.processNumber).utf8)
            let process = try tree.lookup(pid, in: .root, for: reader)
            let opened = try tree.opened(process.process, reader)
            let labels = try tree.labels(of: opened, reader)
            let index = try #require(labels.labels.firstIndex { $0 == Array("libc.so.6".utf8) })
            let range = labels.mappings.list[index].range
            names = [
                "PID": pid, "NAME": try #require(entryName(try opened.process.command())), "RANGE": range.name,
                "START-END": range.name, "ADDRESS": Array(range.name.prefix { $0 != UInt8(ascii: "-") }),
                "LABEL": Array("libc.so.6".utf8),
            ]
        }

        func bytes(of component: Substring) -> [UInt8] {
            let parts = component.split(separator: "@").map { names[$0] ?? Array($0.utf8) }
            return Array(parts.joined(separator: [UInt8(ascii: "@")]))
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
        for key in Capability.allCases { #expect(legend.contains { $0.first == key.rawValue }) }
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
