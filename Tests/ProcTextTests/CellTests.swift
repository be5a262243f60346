import ProcModel
import ProcText
import Testing

private func string(_ body: (inout LineWriter) -> Void) -> String {
    var line = LineWriter()
    body(&line)
    return String(decoding: line.bytes, as: UTF8.self)
}

/// A column whose rows are cells.
private func column(_ name: String, unit: String = "") -> Column<Cell> {
    Column(name, 0, .left, gap: 0, unit: unit, "") { $0 }
}

@Suite("Cells in text and JSON", .timeLimit(.minutes(1)))
struct CellTests {
    @Test(
        arguments: [
            (.absent, "-", nil), (.hidden, "?", "null,\"hidden\":[\"k\"]"), (.number(0), "0", "0"),
            (.number(.max), "18446744073709551615", "18446744073709551615"), (.hex(0x1f), "1f", "\"1f\""),
            (.hex(0x1f, digits: 4), "001f", "\"001f\""),
            (.range(AddressRange(0x1000, 0x2000)), "1000-2000", "\"1000-2000\""),
            (.word("rw-p"), "rw-p", "\"rw-p\""), (.word("a\t\"b\"\\\n"), "a\t\"b\"\\\n", #""a\u0009\"b\"\\\u000a""#),
            (.name(Array("a \"b\" é\\".utf8)), "a \"b\" é\\x5c", #""a \"b\" é\\x5c""#),
            (.name([0xff, 0x0a, 0x7f, 0x41]), "\\xff\\x0a\\x7fA", #""\\xff\\x0a\\x7fA""#), (.name([]), "", "\"\""),
            (.text(Array("a\\x20b".utf8)), "a\\x20b", #""a\\x20b""#), (.flags([]), "-", "[]"),
            (.flags(["lru", "bit63"]), "lru,bit63", #"["lru","bit63"]"#),
        ] as [(Cell, String, String?)])
    func spellings(_ row: (cell: Cell, text: String, json: String?)) {
        #expect(string { $0.cell(row.cell) } == row.text)
        #expect(string { $0.object(row.cell, [column("k")]) } == (row.json.map { "{\"k\":\($0)}" } ?? "{}"))
    }

    @Test("a name of any byte is a JSON string of what the text says", arguments: UInt8.min...UInt8.max)
    func anyByte(byte: UInt8) {
        let text = string { $0.cell(.name([byte])) }
        let json = text.map { $0 == "\\" || $0 == "\"" ? "\\\($0)" : String($0) }.joined()
        #expect(string { $0.object(.name([byte]), [column("k")]) } == "{\"k\":\"\(json)\"}")
        #expect(text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7f })
    }

    @Test func valuesStandInTheirPlace() {
        let places = [
            Position(5, .left, gap: 1), Position(5, .right, gap: 2), Position(2, .left, gap: 1),
            Position(2, .right, gap: 0),
        ]
        #expect(string { line in for place in places { line.cell(.number(123), place) } } == "123     123  123 123")
    }

    @Test func unitsAreInTheKeyAndTheHeader() {
        let table = Table([column("size", unit: "kB"), column("pages")])
        #expect(string { $0.object(.number(4), table.columns) } == #"{"size_kB":4,"pages":4}"#)
        #expect(String(decoding: table.header, as: UTF8.self).contains("size_kB"))
    }

    @Test func aReportIsItsKeysInLines() {
        let report = Report<Cell>([
            .key("Name", "") { $0 }, .count("Count", "") { $0 }, .count("Time", unit: "us", "") { $0 },
        ])
        #expect(
            string { report.append(.number(7), to: &$0) } == """
                Name:           7
                Count:                 7
                Time:                  7 us

                """)
        #expect(
            string { report.append(.hidden, suffix: "_a_longer_key", to: &$0) } == """
                Name_a_longer_key:?
                Count_a_longer_key:       ?
                Time_a_longer_key:       ?

                """)
        #expect(string { $0.object(.number(7), report.keys) } == #"{"Name":7,"Count":7,"Time_us":7}"#)
        let tight = Report<Cell>([.key("Key", "") { $0 }], indent: nil)
        #expect(string { tight.append(.word("yes"), to: &$0) } == "Key: yes\n")
    }

    @Test func rowsOfTheTablesAreObjects() {
        let word = PageMapEntry(rawValue: 1 << 63 | 1 << 56 | 0x1ae62f)
        let page = PageRecord(
            address: 0x7fa3_389a_2000, entry: word, rawFlags: PageFlags(rawValue: 0x28), mapCount: 1, cgroup: 5731)
        var view = FrameView(frame: .known, flags: .known, mapCount: .known, cgroup: .hidden, node: .missing)
        func json() -> String {
            let context = FrameContext(
                view: view, nodes: NodeMap(shift: 0, nodes: []), ksmLies: false, pageSize: 4096)
            return string { $0.object(PageRow(page, context), PageRow.table.columns) }
        }
        #expect(
            json() == #"{"address":"7fa3389a2000","state":"present","frame":"1ae62f","mapcount":1,"cgroup":null,"#
                + #""flags":["uptodate","lru","mmap_exclusive"],"hidden":["cgroup"]}"#)
        view = .hidden
        #expect(
            json() == #"{"address":"7fa3389a2000","state":"present","frame":null,"mapcount":null,"cgroup":null,"#
                + #""node":null,"flags":["mmap_exclusive"],"hidden":["frame","mapcount","cgroup","node"]}"#)
    }
}
