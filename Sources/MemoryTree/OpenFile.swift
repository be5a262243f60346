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

/// Text of a handle, counted while it lives.
package final class FrozenText: Sendable {
    package let bytes: [UInt8]
    private let held: HeldBytes?

    init(_ bytes: [UInt8], countedIn held: HeldBytes? = nil) {
        self.bytes = bytes
        self.held = held
        held?.add(bytes.count)
    }

    deinit { held?.add(-bytes.count) }
}

/// How many bytes of text all handles hold.
package final class HeldBytes: Sendable {
    private let total = Monitor(0)
    package var count: Int { total.withLock { $0 } }
    func add(_ bytes: Int) { total.withLock { $0 += bytes } }
}

/// A file of records of equal size in which any record can be made alone.
///
/// Blocks of records are made when first read and kept for the handle, up to a bound, so that it sees one answer.
package final class RecordFile: Sendable {
    /// Bytes.
    package let size: UInt64
    /// Where there is data, as byte ranges in order; nil when there are no holes.
    package let data: [Range<UInt64>]?
    private let blockSize: UInt64
    private let make: @Sendable (UInt64, Reader) throws(ProcError) -> [UInt8]
    private let kept = Monitor([UInt64: [UInt8]]())

    private static let mostKept = 8 << 20

    /// - Parameters:
    ///   - blockSize: bytes of a block, a multiple of the record's.
    ///   - make: the block of a number, all of it but for the last one.
    init(
        size: UInt64, blockSize: UInt64, data: [Range<UInt64>]? = nil,
        make: @escaping @Sendable (UInt64, Reader) throws(ProcError) -> [UInt8]
    ) {
        self.size = size
        self.blockSize = blockSize
        self.data = data
        self.make = make
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
        if let block = kept.withLock({ $0[number] }) { return block }
        let block = try make(number, reader)
        return kept.withLock { kept in
            if let first = kept[number] { return first }
            if UInt64(kept.count + 1) * blockSize <= Self.mostKept { kept[number] = block }
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

    private let state: Monitor<State>
    private let next: @Sendable (Reader) throws(ProcError) -> [UInt8]?
    private let end: @Sendable () -> Void

    /// - Parameters:
    ///   - next: the next piece; nil at the end.
    ///   - end: stops the making of pieces ahead, at any time and from any thread.
    init(
        header: [UInt8], end: @escaping @Sendable () -> Void = {},
        next: @escaping @Sendable (Reader) throws(ProcError) -> [UInt8]?
    ) {
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
            while ready < count, !state.isAtEnd, state.failure == nil {
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
            while room > 0, let piece = state.pieces.first {
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
