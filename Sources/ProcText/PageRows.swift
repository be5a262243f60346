import ProcModel

/// The rows of `pages`: the one loop that runs for every page anybody reads.
///
/// Policy: what stands right of the frame number (map count, cgroup, node, flags, newline) is the same for long runs of
/// pages, so it is rendered once by the column table, kept in a small direct-mapped cache, and copied; left of it only
/// the address and the frame number change, and their digits go straight into memory that was reserved for the whole
/// batch beforehand. Nothing is allocated per page.
package struct PageRows {
    private let context: FrameContext
    private var keys: [TailKey]
    private var tails: [[UInt8]]
    private let states: [[UInt8]]

    private static let slots = 256
    private static let columns = Table.pages
    /// Address, state, frame and the blanks between at their widest.
    private static let headBytes = 64
    /// What any tail fits in: three numbers of 20 digits and every flag name there is.
    private static let tailBytes = 704

    package init(_ context: FrameContext) {
        self.context = context
        keys = Array(repeating: TailKey.none, count: Self.slots)
        tails = Array(repeating: [], count: Self.slots)
        states = PageState.allCases.map { state in
            var line = LineWriter()
            line.field(Self.columns[1]) { $0.text(state.name) }
            return line.bytes
        }
    }

    /// The rows of the batch as text.
    package mutating func text(_ batch: PageBatch) -> [UInt8] {
        let addressWidth = Self.columns[0].width
        let addressGap = Self.columns[0].gap
        let frameWidth = Self.columns[2].width
        let framesHidden = context.view.frame == .hidden
        let count = batch.count
        return unsafe [UInt8](unsafeUninitializedCapacity: count * (Self.headBytes + Self.tailBytes)) {
            buffer, length in
            guard var cursor = buffer.baseAddress else { return }
            let start = unsafe cursor
            for index in 0..<count {
                let page = batch[index]
                let state = page.state
                unsafe cursor = writeHex(page.address, cursor, width: addressWidth, gap: addressGap)
                let word = states[Int(state.rawValue)]
                for offset in 0..<word.count { unsafe cursor[offset] = word[offset] }
                unsafe cursor += word.count

                if state == .present || state == .zero, !framesHidden {
                    unsafe cursor = writeHex(page.entry.frame, cursor, width: frameWidth, gap: 1)
                } else {
                    var field = LineWriter()
                    field.field(Self.columns[2]) { $0.frame(state, page.entry, context) }
                    for byte in field.bytes {
                        unsafe cursor.pointee = byte
                        unsafe cursor += 1
                    }
                }

                let slot = tail(of: page, state)
                unsafe tails[slot].withUnsafeBufferPointer { tail in
                    unsafe cursor.update(from: tail.baseAddress!, count: tail.count)
                    unsafe cursor += tail.count
                }
            }
            length = unsafe cursor - start
        }
    }

    /// The slot that holds the page's tail, filled if need be.
    @inline(__always)
    private mutating func tail(of page: PageRecord, _ state: PageState) -> Int {
        let key = TailKey(
            flags: page.rawFlags.rawValue, mapCount: page.mapCount, cgroup: page.cgroup,
            rest: page.entry.rawValue & PageMapEntry.flagMask | UInt64(state.rawValue)
                | UInt64(UInt16(bitPattern: context.node(of: page))) << 8)
        let slot = key.slot(of: Self.slots)
        if keys[slot] != key { fill(slot, key, page, state) }
        return slot
    }

    @inline(never)
    private mutating func fill(_ slot: Int, _ key: TailKey, _ page: PageRecord, _ state: PageState) {
        var line = LineWriter()
        line.frameFacts(
            Self.columns[3...], state: state, mapCount: page.mapCount, cgroup: page.cgroup,
            node: context.node(of: page), flags: page.flags(context), entry: page.entry, context)
        keys[slot] = key
        tails[slot] = line.bytes
    }
}

/// Everything that the text right of the frame number depends on.
private struct TailKey: Equatable {
    var flags, mapCount, cgroup, rest: UInt64

    /// No page has this key: a state of 255 does not exist.
    static let none = TailKey(flags: 0, mapCount: 0, cgroup: 0, rest: 255)

    @inline(__always)
    func slot(of count: Int) -> Int {
        let mixed =
            (flags &* 0x9e37_79b9_7f4a_7c15) ^ (mapCount &* 0xc2b2_ae3d_27d4_eb4f) ^ (cgroup &* 0x1656_67b1_9e37_79f9)
            ^ rest
        return Int(truncatingIfNeeded: (mixed ^ mixed >> 29 ^ mixed >> 47) & UInt64(count - 1))
    }
}

/// Writes lower-case hex left-aligned in `width` and `gap` blanks; returns where to go on.
@inline(__always)
private func writeHex(
    _ value: UInt64, _ start: UnsafeMutablePointer<UInt8>, width: Int, gap: Int
) -> UnsafeMutablePointer<UInt8> {
    let digits = max(1, (67 - value.leadingZeroBitCount) >> 2)
    var rest = value
    var index = digits
    while index > 0 {
        index -= 1
        let digit = UInt8(truncatingIfNeeded: rest & 15)
        unsafe start[index] = digit &+ (digit < 10 ? 0x30 : 0x57)
        rest >>= 4
    }
    let end = max(digits, width) + gap
    index = digits
    while index < end {
        unsafe start[index] = 0x20
        index += 1
    }
    return unsafe start + end
}
