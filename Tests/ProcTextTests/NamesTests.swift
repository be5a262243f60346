import ProcModel
import ProcText
import Testing

private func escaped(_ name: [UInt8], keepingBlanks: Bool = false) -> String {
    var line = LineWriter()
    line.escaped(name, keepingBlanks: keepingBlanks)
    return String(decoding: line.bytes, as: UTF8.self)
}

@Suite("Names and numbers", .timeLimit(.minutes(1)))
struct NamesTests {
    @Test("each byte alone is itself or \\xNN", arguments: UInt8.min...UInt8.max)
    func byte(_ byte: UInt8) {
        let isPlain = byte > 0x20 && byte < 0x7f && byte != 0x5c
        let hex = String(byte, radix: 16)
        let expected = isPlain ? String(UnicodeScalar(byte)) : "\\x" + (hex.count < 2 ? "0" + hex : hex)
        #expect(escaped([byte]) == expected)
    }

    @Test func aBlankStaysWhereItMay() {
        #expect(escaped(Array("a b\t".utf8), keepingBlanks: true) == "a b\\x09")
        #expect(escaped(Array("a b".utf8)) == "a\\x20b")
    }

    @Test(
        "what is not UTF-8 is escaped byte by byte",
        arguments: [
            ([0xff, 0xfe], "\\xff\\xfe"), ([0xc3, 0xa9], "é"), ([0xc3], "\\xc3"), ([0xc0, 0x80], "\\xc0\\x80"),
            ([0xed, 0xa0, 0x80], "\\xed\\xa0\\x80"), ([0xf0, 0x9f, 0x98, 0x80], "😀"),
            ([0xf4, 0x90, 0x80, 0x80], "\\xf4\\x90\\x80\\x80"), ([0xe0, 0x80, 0xaf], "\\xe0\\x80\\xaf"),
            ([0xe2, 0x82], "\\xe2\\x82"), ([0xe2, 0x82, 0x41], "\\xe2\\x82A"),
        ] as [([UInt8], String)])
    func sequences(_ row: ([UInt8], String)) {
        #expect(escaped(row.0) == row.1)
    }

    @Test(arguments: [
        ("bash", "bash"), (".", "\\x2e"), ("..", "\\x2e\\x2e"), ("...", "..."), ("", "\\x00"), ("a/b", "a\\x2fb"),
        ("/", "\\x2f"), ("a b", "a\\x20b"),
    ])
    func entriesAreFileNames(_ row: (String, String)) {
        #expect(entryName(Array(row.0.utf8)).map { String(decoding: $0, as: UTF8.self) } == row.1)
    }

    @Test func anEntryIsAtMost255BytesLong() {
        #expect(entryName([UInt8](repeating: 0x61, count: 255))?.count == 255)
        #expect(entryName([UInt8](repeating: 0x61, count: 256)) == nil)
        #expect(entryName([UInt8](repeating: 0x20, count: 64)) == nil)
    }

    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (951_782_400_001, "2000-02-29T00:00:00.001Z"),
            (1_709_251_199_999, "2024-02-29T23:59:59.999Z"), (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (1_795_216_442_118, "2026-11-20T23:14:02.118Z"),
        ] as [(UInt64, String)])
    func timesAreISO8601(_ row: (UInt64, String)) {
        var line = LineWriter()
        line.time(milliseconds: row.0)
        #expect(String(decoding: line.bytes, as: UTF8.self) == row.1)
    }

    @Test(arguments: [0, 1, 9, 10, 0xf, 0x10, 0xdead_beef, UInt64.max - 1, UInt64.max])
    func numbersAreThoseOfTheLibrary(number: UInt64) {
        var line = LineWriter()
        line.decimal(number)
        line.byte(" ")
        line.hex(number)
        line.byte(" ")
        line.hex(number, minimum: 4)
        let hex = String(number, radix: 16)
        let padded = String(repeating: "0", count: max(0, 4 - hex.count)) + hex
        #expect(String(decoding: line.bytes, as: UTF8.self) == "\(number) \(hex) \(padded)")
    }
}
