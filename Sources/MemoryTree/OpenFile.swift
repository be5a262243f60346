import ProcModel
import ProcSource
import Syscalls

/// An open file of the tree: what one handle reads from beginning to end.
package enum OpenFile: Sendable {
    /// Text made at open.
    case frozen(FrozenText)
    /// Records of equal size, made as they are read.
    case record(RecordFile)
    /// Text made as it is read, front to back only.
    case stream(TextStream)

    /// Bytes; nil for a stream.
    package var size: UInt64? {
        switch self {
        case .frozen(let text): UInt64(text.bytes.count)
        case .record(let file): file.size
        case .stream: nil
        }
    }

    /// Up to `count` bytes from the offset, in pieces; none at the end.
    package func read(at offset: UInt64, count: Int, _ reader: Reader) throws(ProcError) -> [ArraySlice<UInt8>] {
        switch self {
        case .frozen(let text):
            guard offset < UInt64(text.bytes.count) else { return [] }
            return [text.bytes[Int(offset)...].prefix(count)]
        case .record(let file): return try file.read(at: offset, count: count, reader)
        case .stream(let stream): return try stream.read(at: offset, count: count, reader)
        }
    }

    /// Counts what the file holds, now and as it is read, as part of what its handle does.
    ///
    /// - Throws: ENOMEM when there is no room for it.
    package func count(in holding: Holding) throws(ProcError) {
        switch self {
        case .frozen(let text): try holding.take(bytes: text.bytes.count)
        case .record(let file): try file.count(in: holding)
        case .stream(let stream): try holding.take(bytes: stream.mostHeld())
        }
    }

    /// The first byte at or after the offset that is data, or a hole; nil when there is none before the end.
    package func seek(_ offset: UInt64, toData: Bool) -> UInt64? {
        guard let size, offset < size else { return nil }
        guard case .record(let file) = self, let data = file.data else { return toData ? offset : size }
        let next = data.first { $0.upperBound > offset }
        if toData { return next.map { max($0.lowerBound, offset) } }
        guard let next, next.contains(offset) else { return offset }
        return next.upperBound
    }
}

/// Text of a handle, shared with others that were opened within the maximum age.
package final class FrozenText: Sendable {
    package let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }
}

/// A file of records of equal size in which any record can be made alone.
///
/// Blocks of records are made when first read and kept for the handle, up to a bound and while there is room, so that it
/// sees one answer.
package final class RecordFile: Sendable {
    /// Bytes.
    package let size: UInt64
    /// Where there is data, as byte ranges in order; nil when there are no holes.
    package let data: [Range<UInt64>]?
    private let blockSize: UInt64
    /// Bytes that it needs to make records.
    private let tableBytes: Int
    private let make: @Sendable (UInt64, Reader) throws(ProcError) -> [UInt8]
    private let kept = Monitor(Kept())

    private struct Kept {
        var blocks: [UInt64: [UInt8]] = [:]
        /// nil when the file has no handle.
        var holding: Holding?
    }

    private static let mostKept = 8 << 20

    /// - Parameters:
    ///   - blockSize: bytes of a block, a multiple of the record's.
    ///   - tableBytes: what `make` holds, roughly.
    ///   - make: the block of a number, all of it but for the last one.
    init(
        size: UInt64, blockSize: UInt64, data: [Range<UInt64>]? = nil, tableBytes: Int = 0,
        make: @escaping @Sendable (UInt64, Reader) throws(ProcError) -> [UInt8]
    ) {
        self.size = size
        self.blockSize = blockSize
        self.data = data
        self.tableBytes = tableBytes + (data?.count ?? 0) * MemoryLayout<Range<UInt64>>.stride
        self.make = make
    }

    fileprivate func count(in holding: Holding) throws(ProcError) {
        try holding.take(bytes: tableBytes)
        kept.withLock { $0.holding = holding }
    }

    func read(at offset: UInt64, count: Int, _ reader: Reader) throws(ProcError) -> [ArraySlice<UInt8>] {
        var pieces: [ArraySlice<UInt8>] = []
        var position = offset
        let end = min(size, offset.addingReportingOverflow(UInt64(count)).partialValue)
        while position < end {
            try reader.checkInterrupted()
            let block = try block(position / blockSize, reader)
            let start = Int(position % blockSize)
            let part = block[min(start, block.count)...].prefix(Int(end - position))
            guard !part.isEmpty else { break }
            pieces.append(part)
            position += UInt64(part.count)
        }
        return pieces
    }

    private func block(_ number: UInt64, _ reader: Reader) throws(ProcError) -> [UInt8] {
        if let block = kept.withLock({ $0.blocks[number] }) { return block }
        let block = try make(number, reader)
        return kept.withLock { kept in
            if let first = kept.blocks[number] { return first }
            if UInt64(kept.blocks.count + 1) * blockSize <= Self.mostKept,
                kept.holding?.takeSpare(bytes: block.count) ?? true
            {
                kept.blocks[number] = block
            }
            return block
        }
    }
}

/// Text that is made while it is read; each piece is handed out once.
package final class TextStream: Sendable {
    private struct State {
        var pieces: [ArraySlice<UInt8>]
        /// Offset of the first of them.
        var position: UInt64 = 0
        var isAtEnd = false
        /// Why nothing comes any more; what was made before is still handed out.
        var failure: ProcError?
    }

    /// Pieces of one answer: each is a buffer of its own in the reply, of which the kernel takes 1,024.
    private static let mostPieces = 256

    fileprivate let mostHeld: @Sendable () -> Int
    private let state: Monitor<State>
    private let next: @Sendable (Reader) throws(ProcError) -> [UInt8]?
    private let end: @Sendable () -> Void

    /// - Parameters:
    ///   - mostHeld: bytes that it may hold while nobody reads, beside those it finds room for itself.
    ///   - next: the next piece; nil at the end.
    ///   - end: stops the making of pieces ahead, at any time and from any thread.
    init(
        header: [UInt8], mostHeld: @escaping @Sendable () -> Int = { 0 },
        end: @escaping @Sendable () -> Void = {},
        next: @escaping @Sendable (Reader) throws(ProcError) -> [UInt8]?
    ) {
        self.mostHeld = mostHeld
        state = Monitor(State(pieces: [header[...]]))
        self.next = next
        self.end = end
    }

    /// Ends the work ahead of a reader who has gone.
    package func cancel() { end() }

    /// - Throws: ESPIPE when the offset is not where the last read ended.
    func read(at offset: UInt64, count: Int, _ reader: Reader) throws(ProcError) -> [ArraySlice<UInt8>] {
        try state.withLock { state throws(ProcError) in
            guard offset == state.position else { throw .failed(.illegalSeek) }
            var ready = state.pieces.reduce(0) { $0 + $1.count }
            while ready < count, state.pieces.count < Self.mostPieces, !state.isAtEnd, state.failure == nil {
                do throws(ProcError) {
                    if let piece = try next(reader) {
                        state.pieces.append(piece[...])
                        ready += piece.count
                    } else {
                        state.isAtEnd = true
                    }
                } catch {
                    // One who was interrupted may ask again.
                    if error == .interrupted { throw error }
                    state.failure = error
                }
            }
            if ready == 0, let failure = state.failure { throw failure }
            state.pieces.removeAll(where: \.isEmpty)
            var taken: [ArraySlice<UInt8>] = []
            var room = count
            while room > 0, taken.count < Self.mostPieces, let piece = state.pieces.first {
                taken.append(piece.prefix(room))
                if piece.count > room {
                    state.pieces[0] = piece.dropFirst(room)
                    room = 0
                } else {
                    state.pieces.removeFirst()
                    room -= piece.count
                }
            }
            state.position += UInt64(count - room)
            return taken
        }
    }
}
