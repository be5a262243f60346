import ProcModel
import ProcText
import Testing

/// The same numbers in every run (splitmix64).
private struct Numbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }

    mutating func one<Value>(of values: [Value]) -> Value { values.randomElement(using: &self)! }

    mutating func context() -> FrameContext {
        func visibility() -> Visibility { one(of: [.known, .known, .hidden, .missing]) }
        return FrameContext(
            view: FrameView(
                frame: visibility(), flags: visibility(), mapCount: visibility(), cgroup: visibility(),
                node: visibility()),
            nodes: NodeMap(shift: 4, nodes: (0..<64).map { _ in one(of: [-1, 0, 1, 17]) }),
            ksmLies: one(of: [true, false]), pageSize: one(of: [4096, 16384, 65536]))
    }

    private let oddFlags: [UInt64] = [0, 0x100_0000, 0x4_0000_5828, 0x20_1000, 0x200, 0x300, .max]

    private mutating func word() -> UInt64 {
        let kept: UInt64 = one(of: [0, .max, ~PageMapEntry.guardBit])
        let flags = next() & PageMapEntry.flagMask & kept
        let offset: UInt64 = next() >> UInt64(one(of: [14, 40, 54]))
        let nearby: UInt64 = one(of: [0, 3, 500, 1020])
        let swapped = PageMapEntry.swappedBit | flags | (offset << 5) & PageMapEntry.frameMask
        return one(of: [
            0, flags, PageMapEntry.presentBit | flags | offset, PageMapEntry.presentBit | flags | nearby,
            swapped | next() & 31, swapped | 31, PageMapEntry.guardBit, next(),
        ])
    }

    /// Pages of all states, many of them in runs of frames that follow each other with the same facts.
    mutating func batch() -> PageBatch {
        let count = Int.random(in: 0...24, using: &self)
        var batch = PageBatch()
        batch.begin(count)
        for index in 0..<count {
            let isRun = index > 0 && one(of: [true, true, false])
            if isRun {
                batch.addresses[index] = batch.addresses[index - 1] &+ 4096
                batch.words[index] = batch.words[index - 1] &+ one(of: [0, 1, 1, 1, 1 << 56])
                batch.flags[index] = batch.flags[index - 1]
                batch.mapCounts[index] = batch.mapCounts[index - 1]
                batch.cgroups[index] = batch.cgroups[index - 1]
            } else {
                batch.addresses[index] = next() >> UInt64(one(of: [0, 17, 40])) & ~4095
                batch.words[index] = word()
                batch.flags[index] = one(of: oddFlags + [next()])
                batch.mapCounts[index] = one(of: [0, 1, 2, 99_999_999, 100_000_000, .max])
                batch.cgroups[index] = one(of: [0, 1, 5731, 1_000_000, .max])
            }
        }
        return batch
    }
}

@Suite("The fast writer of pages", .timeLimit(.minutes(1)))
struct PageRowsTests {
    @Test("writes what the table says, of random pages", arguments: 0..<100)
    func equalsTheTable(seed: Int) {
        var numbers = Numbers(state: UInt64(seed))
        let context = numbers.context()
        var rows = PageRows(context)
        for _ in 0..<40 {
            let batch = numbers.batch()
            var text = LineWriter()
            for index in 0..<batch.count { PageRow.table.append(PageRow(batch[index], context), to: &text) }
            #expect(rows.text(batch) == text.bytes)
        }
    }
}
