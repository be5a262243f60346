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

    /// Up to `count` bytes from the offset, in pieces; none at the end. Each answer is to be followed by `settle`.
    package func read(at offset: UInt64, count: Int, _ reader: Reader) throws(ProcError) -> [ArraySlice<UInt8>] {
        switch self {
        case .frozen(let text):
            guard offset < UInt64(text.bytes.count) else { return [] }
            return [text.bytes[Int(offset)...].prefix(count)]
        case .record(let file): return try file.read(at: offset, count: count, reader)
        case .stream(let stream): return try stream.read(at: offset, count: count, reader)
        }
    }

    /// Whether the answer to the last `read` has reached its reader; else the next one gets it.
    package func settle(delivered: Bool) {
        if case .stream(let stream) = self { stream.settle(delivered: delivered) }
    }

    /// Counts what the file holds, now and as it is read, as part of what its handle does.
    ///
    /// - Throws: ENOMEM when there is no room for it.
    func count(in charge: Charge) throws(ProcError) {
        switch self {
        case .frozen(let text): try charge.take(bytes: text.bytes.count)
        case .record(let file): try file.count(in: charge)
        case .stream(let stream): try charge.take(bytes: stream.mostHeld())
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
