import ProcModel
import Testing

@Suite("stat and smaps", .timeLimit(.minutes(1)))
struct ProcessStatTests {
    static func line(_ command: String) -> [UInt8] {
        let rest =
            "S 1 2 3 0 -1 4194560 10 0 0 0 1 2 0 0 20 0 7 0 123456 2945024 300 18446744073709551615 "
            + "94000 95000 140000 0 0 0 65536 4 65538 0 0 0 17 3 0 0 0 0 0 96000 97000 98000 141000 142000 142000 143000 0\n"
        return Array("4321 (\(command)) \(rest)".utf8)
    }

    @Test(arguments: ["app", "", ")", ") S 1 (", "a b\nc", "((("])
    func commandMayHoldAnything(command: String) throws {
        let stat = try ProcessStat(parsing: Self.line(command))
        #expect(stat.pid == PID(rawValue: 4321))
        #expect(stat.command == Array(command.utf8))
        #expect(stat.state == UInt8(ascii: "S"))
        #expect(stat.threads == 7)
        #expect(stat.startTime == 123_456)
        #expect(stat.layout == [94_000, 95_000, 140_000, 96_000, 97_000, 98_000, 141_000, 142_000, 142_000, 143_000])
        #expect(!stat.isKernelThread && !stat.isZombie)
    }

    @Test func noTruncationTraps() {
        let line = Self.line("app")
        for length in 0..<line.count { _ = try? ProcessStat(parsing: Array(line[..<length])) }
        #expect(throws: DecodeError.self) { try ProcessStat(parsing: Array(line[..<40])) }
    }

    static let smaps = """
        1000-3000 rw-p 00000000 00:00 0                  [heap]
        Size:                  8 kB
        Rss:                   4 kB
        Pss:                   3 kB
        Pss_Dirty:             3 kB
        Private_Clean:         1 kB
        Private_Dirty:         2 kB
        Private_Hugetlb:    2048 kB
        Swap:                  5 kB
        SwapPss:               9 kB
        THPeligible:           0
        VmFlags: rd wr mr mw me ac sd
        a000-b000 r--s 00000000 fe:00 7                  /Rss: 1 kB
        Size:                  4 kB
        Rss:                   0 kB

        """

    @Test func blocksBeginAtHeaderLines() throws {
        let text = Array(Self.smaps.utf8)
        let blocks = smapsBlocks(text)
        try #require(blocks.count == 2)
        #expect(text[blocks[1]].starts(with: Array("a000-b000".utf8)))
        #expect(blocks[0].upperBound == blocks[1].lowerBound && blocks[1].upperBound == text.count)
    }

    @Test func countersAreRead() throws {
        let text = Array(Self.smaps.utf8)
        let block = smapsBlocks(text)[0]
        var cursor = ByteCursor(text, from: block.lowerBound, to: block.upperBound)
        cursor.position = cursor.endOfLine + 1
        let smaps = try SMaps(lines: &cursor)
        #expect(smaps.kilobytes("Rss") == 4)
        #expect(smaps.uss == 2051)
        #expect(smaps["VmFlags"]?.value == "rd wr mr mw me ac sd")
        #expect(smaps.fields.count == 11)
        var sizes = ResidentSizes()
        (sizes.rss, sizes.pss, sizes.uss, sizes.swap) = (4, 3, 2051, 5)
        #expect(ResidentSizes(block: block, of: text) == sizes)
    }

    @Test func unknownVmFlagsStandForThemselves() {
        #expect(VMFlags.meaning("rd") == "readable")
        #expect(VMFlags.meaning("qq") == "qq")
    }

    @Test func nodesComeFromBlocksAndHolesHaveNone() {
        let map = NodeMap(shift: 15, nodes: [0, -1, 1])
        #expect(map.node(of: PFN(rawValue: 32_767)) == 0)
        #expect(map.node(of: PFN(rawValue: 32_768)) == nil)
        #expect(map.node(of: PFN(rawValue: 65_536)) == 1)
        #expect(map.node(of: PFN(rawValue: 98_304)) == nil)
        #expect(map.node(of: PFN(rawValue: .max)) == nil)
    }
}
