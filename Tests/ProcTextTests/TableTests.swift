import ProcModel
import ProcText
import Testing

private let seen = FrameContext(
    view: FrameView(frame: .known, flags: .known, mapCount: .known, cgroup: .known, node: .known),
    nodes: NodeMap(shift: 15, nodes: Array(repeating: 0, count: 2048)), ksmLies: false, pageSize: 4096)
private let hidden = FrameContext(
    view: .hidden, nodes: NodeMap(shift: 0, nodes: []), ksmLies: false, pageSize: 4096)

private struct Page {
    var address: UInt64
    var word: UInt64
    var flags: UInt64 = 0
    var count: UInt64 = 0
    var cgroup: UInt64 = 0
}

private func batch(_ pages: [Page]) -> PageBatch {
    var batch = PageBatch()
    batch.begin(pages.count)
    batch.addresses = pages.map(\.address)
    batch.words = pages.map(\.word)
    batch.flags = pages.map(\.flags)
    batch.mapCounts = pages.map(\.count)
    batch.cgroups = pages.map(\.cgroup)
    return batch
}

private func string(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

/// The pages of the contract's example.
private let example = [
    Page(address: 0x7fa3_389a_2000, word: 1 << 63 | 1 << 56 | 0x1ae62f, flags: 0x4_0000_5828, count: 1, cgroup: 5731),
    Page(address: 0x7fa3_389e_2000, word: 1 << 63 | 0x3b34, flags: 0x1_0100_0000),
    Page(address: 0x7fa3_38bd_a000, word: 0x4400_0000_0000_009f),
    Page(address: 0x7fa3_38c0_0000, word: 1 << 62 | 1 << 55 | 88231 << 5),
    Page(address: 0x7fa3_38c0_1000, word: 1 << 62 | 1 << 57 | 1 << 5 | 31),
]

@Suite("Tables of pages", .timeLimit(.minutes(1)))
struct TableTests {
    @Test func headerAndRowsAreThoseOfTheContract() {
        var rows = PageRows(seen)
        #expect(
            string(PageRow.table.header + rows.text(batch(example))) == """
                # address     state    frame    mapcount cgroup node flags
                7fa3389a2000  present  1ae62f          1   5731    0 uptodate,lru,mmap,anonymous,swapbacked,anon_exclusive,mmap_exclusive
                7fa3389e2000  zero     3b34            0      0    0 zero_page,reserved
                7fa338bda000  guard    -               -      -    - guard
                7fa338c00000  swapped  0:88231         -      -    - softdirty
                7fa338c01000  marker   -               -      -    - uffd_wp

                """)
    }

    @Test func hiddenFramesAreQuestionMarks() {
        var rows = PageRows(hidden)
        var pages = example
        pages[1].flags = PageFlags.zeroPage.rawValue
        #expect(
            string(rows.text(batch(pages))) == """
                7fa3389a2000  present  ?               ?      ?    ? mmap_exclusive
                7fa3389e2000  zero     ?               ?      ?    ? -
                7fa338bda000  guard    -               -      -    - guard
                7fa338c00000  swapped  ?               -      -    - softdirty
                7fa338c01000  marker   -               -      -    - uffd_wp

                """)
    }

    @Test func wideValuesShiftTheLineAndKeepItsFields() {
        let page = Page(
            address: 0xffff_ffff_ff60_0000, word: 1 << 63 | (1 << 55 - 1), flags: .max, count: .max, cgroup: .max)
        var rows = PageRows(seen)
        let line = string(rows.text(batch([page])))
        let fields = line.split(separator: " ")
        #expect(fields.count == 7)
        #expect(fields[0] == "ffffffffff600000" && fields[3] == "18446744073709551615" && fields[5] == "-")
        #expect(line.hasSuffix("\n"))
    }

    @Test func rowsAreTheSameWhicheverCameBefore() {
        var one = PageRows(seen)
        let together = string(one.text(batch(example + example.reversed())))
        let apart = (example + example.reversed()).map { page in
            var rows = PageRows(seen)
            return string(rows.text(batch([page])))
        }
        #expect(together == apart.joined())
    }

    @Test func rangesMergeWhereFramesFollow() {
        let base = example[0]
        var pages = (0..<6).map { index in
            var page = base
            page.address += UInt64(index) * 4096
            page.word += UInt64(index)
            return page
        }
        pages[4].word += 10  // Frames 4 and 5 stand apart from those before, and 5 does not follow 4.
        let ranges = PageRange.merge(batch(pages), borders: [], seen)
        #expect(ranges.map { ($0.end - $0.start) / 4096 } == [4, 1, 1])
        let cut = PageRange.merge(batch(Array(pages[..<4])), borders: [pages[2].address], seen)
        #expect(cut.map(\.start) == [pages[0].address, pages[2].address])
        #expect(PageRange.merge(batch(pages), borders: [], hidden).count == 1)
    }

    @Test func zeroPagesMergeAlthoughTheirFrameIsTheSame() {
        let pages = (0..<3).map { Page(address: UInt64($0) * 4096, word: 1 << 63 | 0x3b34, flags: 0x1_0100_0000) }
        #expect(PageRange.merge(batch(pages), borders: [], seen).count == 1)
    }

    @Test func flagsAreCountedMostPagesFirst() {
        var counts = FlagCounts()
        counts.add(batch(example + [example[2], example[2], example[0]]))
        #expect(
            string(counts.text(seen)) == """
                3                  12  -                guard
                2                   8  0000000400005828 uptodate,lru,mmap,anonymous,swapbacked,anon_exclusive,mmap_exclusive
                1                   4  -                marker
                1                   4  -                swapped
                1                   4  0000000101000000 zero_page,reserved
                8                  32  -                total

                """)
    }

    @Test func lettersHaveOneWidthAndPlace() {
        var letters = Letters(seen)
        var text = LineWriter()
        let pages = batch(example + [Page(address: 0, word: 1 << 63, flags: .max), Page(address: 4096, word: 0)])
        for index in 0..<pages.count { letters.append(pages[index], to: &text) }
        let lines = string(text.bytes).split(separator: "\n")
        #expect(Letters.width == 95 && lines.allSatisfy { $0.utf8.count == 94 })
        #expect(
            lines[0]
                == "7fa3389a2000     P 1ae62f              1          ___U_l_____Ma_b______________d_________1____"
        )
        #expect(lines[5].hasSuffix("____+"))
        #expect(lines[6].hasPrefix("1000             . "))
        #expect(Letters.header("1000-2000 1 2026-11-20T23:14:02.118Z").count == 95)
    }

    @Test func aStripShowsTheCommonestAndTiesGoToTheEarlier() {
        var strip = Strip(pages: 4096 * 4 - 3)
        #expect(strip.grid.pagesPerBucket == 4)
        strip.add(.anonymous, first: 0, count: 2)
        strip.add(.swapped, first: 2, count: 2)
        strip.add(.file, first: 4, count: 1)
        strip.add(.anonymous, first: 8, count: 2)
        strip.add(.guard, first: 4096 * 4 - 4, count: 1)
        let rows = string(strip.text).split(separator: "\n").dropFirst().map(String.init)
        #expect(rows.count == 64 && rows.allSatisfy { $0.count == 64 })
        #expect(rows[0].hasPrefix("S.a.") && rows[63].hasSuffix("G"))
        let (small, none) = (Strip(pages: 65), Strip(pages: 0))
        #expect(string(small.text) == small.legend + "\n" + String(repeating: ".", count: 64) + "\n.\n")
        #expect(string(none.text) == none.legend + "\n")
    }

    @Test func fillTellsTenthsRoundedUpAndNineIsLessThanAll() {
        var fill = Fill(pages: 4096 * 100 - 50)
        for (bucket, pages) in [1, 10, 11, 89, 90, 99, 100].enumerated() {
            fill.add(first: UInt64(bucket * 100), count: UInt64(pages))
        }
        fill.add(first: 4095 * 100 - 1, count: 51)
        let rows = string(fill.text).split(separator: "\n").dropFirst().map(String.init)
        #expect(rows.count == 64 && rows[0].hasPrefix("11299" + "9*."), "\(rows[0].prefix(8))")
        #expect(rows[63].hasSuffix(".1*"))
        #expect(fill.legend.count <= 80)
    }

    @Test func mapCountsAddUpAndLeaveTheZeroPageOut() {
        let part = batch(example + [Page(address: 0x7fa3_38c0_2000, word: 1 << 63 | 1 << 61 | 7, count: 12)])
        var counts = MapCounts()
        counts.add(part)
        var both = counts
        both.add(counts)
        #expect(
            string(both.text(seen)) == """
                         1          2           8           8           0
                        12          2           8           0           8
                # 4 16 total

                """)
        var unseen = MapCounts()
        unseen.add(batch([Page(address: 0x1000, word: 1 << 63), Page(address: 0x2000, word: 1 << 63 | 1 << 61)]))
        #expect(
            string(unseen.text(hidden)).hasPrefix(
                "         ?          2           8           4           4\n# 2 8 total"))
    }
}
