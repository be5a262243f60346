import ProcModel

/// The rows of `pages`, written by a fast loop, since it runs for every page that is read.
///
/// The text right of the frame number (map count, cgroup, node, flags, newline) is the same for long runs of pages. The
/// column table renders it once; it is kept in a small direct-mapped cache, looked up once per run, and copied. Left of
/// it only the address and the frame number change. Their digits are written eight at a time into memory that is
/// reserved for many rows at once. Nothing is allocated per page.
package struct PageRows {
    private let context: FrameContext
    private var keys: [TailKey]
    private var tails: [[UInt8]]
    private let states: [[UInt8]]
    /// The text of the frame column if it is no frame number.
    private var field = LineWriter()

    private static let slots = 256
    private static let places = PageRow.table.headings.map(\.place)
    /// Most bytes of address, state, frame and their blanks, plus what `writeHex` writes beyond its field.
    private static let headBytes = 96
    /// Bytes that are enough for nearly every row. Memory is reserved, and charged to the reader's quota, by this size.
    package static let typicalRowBytes = 160
    /// Bytes that are enough for any row: its head, three numbers of 20 digits and the names of all flags.
    private static let mostRowBytes = headBytes + 704

    package init(_ context: FrameContext) {
        self.context = context
        keys = Array(repeating: TailKey.none, count: Self.slots)
        tails = Array(repeating: [], count: Self.slots)
        states = PageState.allCases.map { state in
            var line = LineWriter()
            line.cell(.word(state.name), Self.places[1])
            return line.bytes
        }
    }

    /// What the reader may see.
    package var view: FrameView { context.view }

    /// The rows of the batch as text.
    package mutating func text(_ batch: PageBatch) -> [UInt8] {
        var index = 0
        var text = part(of: batch, from: &index)
        while index < batch.count { text += part(of: batch, from: &index) }
        return text
    }

    /// As many rows as fit into memory reserved by their typical size: all of them, unless many have very many flags.
    private mutating func part(of batch: PageBatch, from index: inout Int) -> [UInt8] {
        let capacity = (batch.count - index) * Self.typicalRowBytes + Self.mostRowBytes
        return unsafe [UInt8](unsafeUninitializedCapacity: capacity) { buffer, length in
            guard let start = buffer.baseAddress else { return }
            var cursor = unsafe start
            while index < batch.count {
                let page = batch[index]
                let slot = tail(of: page)
                let room = unsafe (capacity - (cursor - start)) / (Self.headBytes + tails[slot].count)
                guard room > 0 else { break }
                let end = context.view.frame == .hidden ? index + 1 : batch.endOfRun(from: index, nodes: context.nodes)
                let fitting = index..<min(end, index + room)
                unsafe cursor = rows(of: batch, fitting, page, tails[slot], cursor)
                index = fitting.upperBound
            }
            length = unsafe cursor - start
        }
    }

    /// Writes rows of pages that differ only in address and frame number; returns the end of the text.
    @inline(__always)
    private mutating func rows(
        of batch: PageBatch, _ run: Range<Int>, _ first: PageRecord, _ tail: [UInt8],
        _ start: UnsafeMutablePointer<UInt8>
    ) -> UnsafeMutablePointer<UInt8> {
        let (address, frame) = (Self.places[0], Self.places[2])
        let hasFrame = first.entry.isPresent && context.view.frame != .hidden
        if !hasFrame {
            field.removeAll()
            field.cell(PageFacts.frame(first.state, first.entry, context.view.frame), frame)
        }
        var cursor = unsafe start
        unsafe states[Int(first.state.rawValue)].withUnsafeBufferPointer { state in
            unsafe tail.withUnsafeBufferPointer { tail in
                for index in run {
                    unsafe cursor = writeHex(batch.addresses[index], cursor, width: address.width, gap: address.gap)
                    unsafe cursor.update(from: state.baseAddress!, count: state.count)
                    unsafe cursor += state.count
                    if hasFrame {
                        let number = PageMapEntry(rawValue: batch.words[index]).frame
                        unsafe cursor = writeHex(number.rawValue, cursor, width: frame.width, gap: frame.gap)
                    } else {
                        for byte in field.bytes {
                            unsafe cursor.pointee = byte
                            unsafe cursor += 1
                        }
                    }
                    unsafe cursor.update(from: tail.baseAddress!, count: tail.count)
                    unsafe cursor += tail.count
                }
            }
        }
        return unsafe cursor
    }

    /// The slot of the cache that holds the text right of the frame number. It is filled if necessary.
    private mutating func tail(of page: PageRecord) -> Int {
        let key = TailKey(
            flags: page.rawFlags.rawValue, mapCount: page.mapCount, cgroup: page.cgroup,
            rest: page.entry.rawValue & PageMapEntry.flagMask | UInt64(page.state.rawValue)
                | UInt64(UInt16(bitPattern: context.node(of: page))) << 8)
        let slot = key.slot(of: Self.slots)
        if keys[slot] != key { fill(slot, key, page) }
        return slot
    }

    @inline(never)
    private mutating func fill(_ slot: Int, _ key: TailKey, _ page: PageRecord) {
        var line = LineWriter()
        PageRow.table.append(PageRow(page, context), from: 3, to: &line)
        keys[slot] = key
        tails[slot] = line.bytes
    }
}

/// Everything that the text right of the frame number depends on.
private struct TailKey: Equatable {
    var flags, mapCount, cgroup, rest: UInt64

    /// No page has this key, since there is no state 255.
    static let none = TailKey(flags: 0, mapCount: 0, cgroup: 0, rest: 255)

    func slot(of count: Int) -> Int {
        let mixed =
            (flags &* 0x9e37_79b9_7f4a_7c15) ^ (mapCount &* 0xc2b2_ae3d_27d4_eb4f) ^ (cgroup &* 0x1656_67b1_9e37_79f9)
            ^ rest
        return Int(truncatingIfNeeded: (mixed ^ mixed >> 29 ^ mixed >> 47) & UInt64(count - 1))
    }
}

extension PageBatch {
    /// The end of the run of pages from `start` on that are present and have the same flags, counts and node.
    @inline(__always)
    fileprivate func endOfRun(from start: Int, nodes: NodeMap) -> Int {
        let fixed =
            PageMapEntry.flagMask | PageMapEntry.presentBit | (PageMapEntry.frameMask >> nodes.shift) << nodes.shift
        let word = words[start] & fixed
        let (flags, mapCount, cgroup) = (flags[start], mapCounts[start], cgroups[start])
        var index = start + 1
        guard word & PageMapEntry.presentBit != 0 else { return index }
        while index < count, words[index] & fixed == word, self.flags[index] == flags, mapCounts[index] == mapCount,
            cgroups[index] == cgroup
        {
            index += 1
        }
        return index
    }
}

/// Writes lower-case hex, left-aligned in `width`, and `gap` blanks; returns the end of the field. It may touch up to
/// 32 bytes, beyond that end too.
@inline(__always)
private func writeHex(
    _ value: UInt64, _ start: UnsafeMutablePointer<UInt8>, width: Int, gap: Int
) -> UnsafeMutablePointer<UInt8> {
    let digits = max(1, (67 - value.leadingZeroBitCount) >> 2)
    let aligned = value << UInt64(64 - digits * 4)
    let raw = UnsafeMutableRawPointer(start)
    unsafe raw.storeBytes(of: hexDigits(aligned >> 32), as: UInt64.self)
    unsafe (raw + 8).storeBytes(of: hexDigits(aligned & 0xffff_ffff), as: UInt64.self)
    let blanks: UInt64 = 0x2020_2020_2020_2020
    unsafe (raw + digits).storeBytes(of: blanks, as: UInt64.self)
    unsafe (raw + digits + 8).storeBytes(of: blanks, as: UInt64.self)
    return unsafe start + (max(digits, width) + gap)
}

/// The eight hex digits of a 32-bit number, in the order of memory.
@inline(__always)
private func hexDigits(_ number: UInt64) -> UInt64 {
    var nibbles = (number << 16 | number) & 0x0000_ffff_0000_ffff
    nibbles = (nibbles << 8 | nibbles) & 0x00ff_00ff_00ff_00ff
    nibbles = (nibbles << 4 | nibbles) & 0x0f0f_0f0f_0f0f_0f0f
    let letters = (nibbles &+ 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
    return (nibbles &+ 0x3030_3030_3030_3030 &+ letters &* 0x27).bigEndian
}
