import ProcModel
import ProcSource
import Testing

@testable import MemoryTree

/// A recording of a machine with other pages or another byte order reads as one of a machine like this.
@Suite("Recorded machines", .timeLimit(.minutes(1)))
struct RecordedMachineTests {
    private static let machines: [Machine] = [4096, 16384, 65536].flatMap { pageSize in
        [Machine.ByteOrder.little, .big].map { order in
            Machine(pageSize: pageSize, byteOrder: order, clockTicks: 100, bootTime: 0)
        }
    }

    /// Two neighbours with frames that follow each other, a swapped page behind a hole, and one more behind another.
    private static let entries: [UInt64: UInt64] = [
        0: PageMapEntry.presentBit | 5, 1: PageMapEntry.presentBit | 6,
        3: PageMapEntry.swappedBit | 7 << 5 | 2, 5: PageMapEntry.presentBit | 9,
    ]
    /// uptodate; that and dirty.
    private static let flags: [UInt64: UInt64] = [5: 1 << 3, 6: 1 << 3, 9: 1 << 3 | 1 << 4]

    private func read(_ name: String, on machine: Machine) throws -> [UInt8] {
        let recording = try Recording(machine, entries: Self.entries, flags: Self.flags)
        let tree = try Tree(Tree.Options(), on: try ProcDirectory(path: recording.path, machine: machine))
        let reader = Reader(.daemon)
        var node = Node.root
        let path = "\(Recording.process)/\(name.replacing("RANGE", with: recording.range))"
        for name in path.split(separator: "/") { node = try tree.lookup(Array(name.utf8), in: node, for: reader) }
        let file = try tree.open(node, for: reader).file
        return Array(try file.read(at: 0, count: 1 << 20, reader).joined())
    }

    /// Words of the lines that are no comments.
    private func rows(_ name: String, on machine: Machine) throws -> [[Substring]] {
        String(decoding: try read(name, on: machine), as: UTF8.self).split(separator: "\n")
            .filter { !$0.hasPrefix("#") }.map { $0.split(separator: " ") }
    }

    private func address(of page: UInt64, on machine: Machine) -> String {
        String(Recording.start + page * machine.pageSize, radix: 16)
    }

    @Test("pages", arguments: machines)
    func pages(machine: Machine) throws {
        for name in ["pages", "vma/RANGE/pages"] {
            let rows = try rows(name, on: machine)
            #expect(rows.map(\.first) == [0, 1, 3, 5].map { address(of: $0, on: machine)[...] })
            #expect(rows.map { $0[1] } == ["present", "present", "swapped", "present"])
            #expect([0, 1, 3].map { rows[$0][2] } == ["5", "6", "9"])
            #expect([0, 1, 3].map { rows[$0].last } == ["uptodate", "uptodate", "uptodate,dirty"])
        }
    }

    @Test("ranges", arguments: machines)
    func ranges(machine: Machine) throws {
        let rows = try rows("ranges", on: machine)
        #expect(rows.map { $0[0] } == [0, 3, 5].map { address(of: $0, on: machine)[...] })
        #expect(rows.map { $0[1] } == [2, 4, 6].map { address(of: $0, on: machine)[...] })
        #expect(rows.map { $0[2] } == ["2", "1", "1"])
    }

    @Test("raw words are those of this machine", arguments: machines)
    func rawWords(machine: Machine) throws {
        func words(_ name: String) throws -> [UInt64] {
            let bytes = try read("vma/RANGE/raw/\(name)", on: machine)
            return stride(from: 0, to: bytes.count, by: 8).map { start in
                bytes[start..<start + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) }.littleEndian
            }
        }
        #expect(try words("pagemap") == (0..<Recording.pages).map { Self.entries[$0] ?? 0 })
        #expect(try words("kpageflags") == [1 << 3, 1 << 3, 0, 0, 0, 1 << 3 | 1 << 4, 0, 0])
    }

    @Test("a range that does not begin with a page is not found", arguments: machines)
    func partsOfPages(machine: Machine) throws {
        let middle = String(Recording.start + machine.pageSize / 2, radix: 16)
        #expect(throws: ProcError.absent) {
            try read("pages@\(middle)-\(address(of: 2, on: machine))", on: machine)
        }
    }

    @Test func startTimesCountInTicksOfTheMachine() {
        let machine = Machine(pageSize: 4096, byteOrder: .big, clockTicks: 1024, bootTime: 1_000_000)
        #expect(machine.time(ofTicks: 1536) == 1_001_500)
    }
}
