import ProcModel
import Testing

@Suite("Lines of maps", .timeLimit(.minutes(1)))
struct MapsTests {
    static let lines: [(line: String, name: String)] = [
        ("7fa3389a2000-7fa3389e2000 rw-p 00000000 00:00 0 ", ""),
        ("7fa3389a2000-7fa3389e2000 r-xs 00001000 fe:00 131 /usr/bin/x", "/usr/bin/x"),
        ("00400000-00401000 r--p 00000000 103:02 18446744073709551615         /a  b ", "/a  b "),
        ("08048000-08049000 rw-p 00000000 00:00 0          [heap]", "[heap]"),
        ("ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]", "[vsyscall]"),
        ("7f0000000000-7f0000001000 rw-s 00000000 00:01 5      /memfd:x\\012y (deleted)", "/memfd:x\\012y (deleted)"),
        ("7f0000000000-7f0000001000 rw-s 00000000 00:01 5      \tx", "\tx"),
    ]

    @Test("a line of each kind is read", arguments: lines)
    func line(_ row: (line: String, name: String)) throws {
        let list = try parseMaps(Array((row.line + "\n").utf8))
        try #require(list.count == 1)
        #expect(list[0].text == Array(row.name.utf8))
        #expect(list[0].hasFile == !row.line.contains(" 00:00 0 "))
    }

    @Test func fieldsAreThoseOfTheLine() throws {
        let vma = try parseMaps(Array("1000-3000 rwxs 0000a000 fe:1f 42 /x\n".utf8))[0]
        #expect(vma.range == AddressRange(0x1000, 0x3000))
        #expect(vma.permissions.text == "rwxs")
        #expect(vma.offset == 0xa000)
        #expect((vma.deviceMajor, vma.deviceMinor) == (0xfe, 0x1f))
        #expect(vma.inode == 42)
    }

    @Test func bytesThatAreNotUTF8AreKept() throws {
        let text = Array("1000-2000 r--p 00000000 fe:00 1 /".utf8) + [0xff, 0xfe, 0x0a]
        #expect(try parseMaps(text)[0].text == [0x2f, 0xff, 0xfe])
    }

    @Test("no truncation of a line traps", arguments: lines)
    func truncated(_ row: (line: String, name: String)) {
        let bytes = Array(row.line.utf8)
        for length in 0..<bytes.count { _ = try? parseMaps(Array(bytes[..<length])) }
    }

    @Test(
        "what is no line is refused",
        arguments: [
            "x", "1000", "1000-", "1000-1000 rw-p 0 0:0 0 ", "2000-1000 rw-p 0 0:0 0 ", "1000-2000", "1000-2000 rw",
            "1000-2000 rw-px 0 0:0 0 ", "1000-2000 abcd 0 0:0 0 ", "1000-2000 rw-p 0 0 0 ", "1000-2000 rw-p 0 0:0 x",
            "11112222333344445-2 rw-p 0 0:0 0 ", "1000-2000 rw-p 0 0:0 99999999999999999999 ",
            "1000-2000 rw-p 0 0:0 5x",
        ])
    func malformed(line: String) {
        #expect(throws: DecodeError.self) { try parseMaps(Array((line + "\n").utf8)) }
    }

    @Test func aMappingThatGrewMeanwhileReplacesItself() throws {
        let text =
            "1000-2000 r--p 00000000 00:00 0 \n1000-4000 r--p 00000000 00:00 0 \n4000-5000 r--p 00000000 00:00 0 \n"
        #expect(
            try parseMaps(Array(text.utf8)).map(\.range) == [
                AddressRange(0x1000, 0x4000), AddressRange(0x4000, 0x5000),
            ])
    }

    @Test func whatLiesBelowTheLastEndIsDropped() throws {
        let text =
            "1000-4000 r--p 00000000 00:00 0 \n2000-3000 r--p 00000000 00:00 0 \n6000-7000 r--p 00000000 00:00 0 \n"
        #expect(try parseMaps(Array(text.utf8)).map(\.range.start) == [0x1000, 0x6000])
    }
}

@Suite("Names of ranges, addresses and processes", .timeLimit(.minutes(1)))
struct NameTests {
    @Test(
        "ranges are spelled as in map_files, and no other way",
        arguments: [
            "", "-", "1000", "1000-", "-1000", "01000-2000", "0x1000-2000", "1000-2000 ", " 1000-2000", "1000-1000",
            "2000-1000", "1000-200G", "1A00-2000", "11112222333344445-11112222333344446", "1000-2000-3000",
            "+1000-2000",
        ])
    func malformedRange(name: String) {
        #expect(AddressRange(parsing: Array(name.utf8)) == nil)
    }

    @Test func rangesAreRead() {
        #expect(AddressRange(parsing: Array("0-1000".utf8)) == AddressRange(0, 0x1000))
        #expect(
            AddressRange(parsing: Array("ffffffffff600000-ffffffffff601000".utf8))
                == AddressRange(0xffff_ffff_ff60_0000, 0xffff_ffff_ff60_1000))
    }

    @Test(arguments: ["", "0", "01", "-1", "+1", "1 ", "2147483648", "99999999999999999999", "0x1", "a"])
    func whatIsNoProcessNumber(name: String) {
        #expect(PID(parsing: Array(name.utf8)) == nil)
    }

    @Test func processNumbersAreRead() {
        #expect(PID(parsing: Array("1".utf8)) == PID(rawValue: 1))
        #expect(PID(parsing: Array("2147483647".utf8)) == PID(rawValue: .max))
    }

    @Test func addressesMayHaveAPrefixAndEitherCase() {
        for name in ["7fa3389a2000", "0x7fa3389a2000", "7FA3389A2000"] {
            #expect(parseAddress(Array(name.utf8)) == 0x7fa3_389a_2000)
        }
        for name in ["", "0x", "7g", "12345678123456781", "0x0x1"] { #expect(parseAddress(Array(name.utf8)) == nil) }
    }
}
