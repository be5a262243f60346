import ProcModel
import ProcSource
import Syscalls

/// The content of an open file, as one handle reads it.
package enum OpenFile: Sendable {
    /// Text made at open.
    case frozen(FrozenText)
    /// Records of equal size, made as they are read.
    case record(RecordFile)
    /// Text made as it is read, front to back only.
    case stream(TextStream)

    /// The size in bytes; nil for a stream.
    package var size: UInt64? {
        switch self {
        case .frozen(let text): UInt64(text.bytes.count)
        case .record(let file): file.size
        case .stream: nil
        }
    }

    /// Up to `count` bytes from the offset, in pieces; none at the end. Call `settle` after each read that returns.
    package func read(at offset: UInt64, count: Int, _ reader: Reader) throws(ProcError) -> [ArraySlice<UInt8>] {
        switch self {
        case .frozen(let text):
            guard offset < UInt64(text.bytes.count) else { return [] }
            return [text.bytes[Int(offset)...].prefix(count)]
        case .record(let file): return try file.read(at: offset, count: count, reader)
        case .stream(let stream): return try stream.read(at: offset, count: count, reader)
        }
    }

    /// Says whether the bytes of the last `read` have reached the reader. If not, the next `read` returns them again.
    package func settle(delivered: Bool) {
        if case .stream(let stream) = self { stream.settle(delivered: delivered) }
    }

    /// Counts the bytes that the file holds, now and while it is read.
    ///
    /// - Throws: ENOMEM when the quota is used up.
    func count(in charge: Charge) throws(ProcError) {
        switch self {
        case .frozen(let text): try charge.take(bytes: text.bytes.count)
        case .record(let file): try file.count(in: charge)
        case .stream(let stream): try charge.take(bytes: stream.mostHeld())
        }
    }

    /// The start of the next data, or of the next hole, at or after the offset, as lseek(2) gives it for SEEK_DATA and
    /// SEEK_HOLE: the end of the file is a hole. nil (ENXIO) when there is none.
    package func seek(_ offset: UInt64, toData: Bool) -> UInt64? {
        guard let size, offset < size else { return nil }
        guard case .record(let file) = self, let data = file.data else { return toData ? offset : size }
        let next = data.first { $0.upperBound > offset }
        if toData { return next.map { max($0.lowerBound, offset) } }
        guard let next, next.contains(offset) else { return offset }
        return next.upperBound
    }
}

/// The text of a handle. Handles opened within the maximum age share it.
package final class FrozenText: Sendable {
    package let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }
}
