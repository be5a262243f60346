import ProcModel
import ProcSource
import Syscalls

/// A file of records of equal size. Any record can be made without the others.
///
/// A block of records is made when it is first read. The handle keeps it, so that it reads the same again, unless
/// `mostKept` or the quota is used up.
package final class RecordFile: Sendable {
    /// Bytes.
    package let size: UInt64
    /// The byte ranges with data, in order; nil when there are no holes.
    package let data: [Range<UInt64>]?
    private let blockSize: UInt64
    /// Bytes held to make records from.
    private let tableBytes: Int
    private let make: @Sendable (UInt64, Reader) throws(ProcError) -> [UInt8]
    private let kept = Monitor(Kept())

    private struct Kept {
        var blocks: [UInt64: [UInt8]] = [:]
        /// nil when the file has no handle.
        var charge: Charge?
    }

    private static let mostKept = 8 << 20

    /// - Parameters:
    ///   - blockSize: bytes of a block, a multiple of the record size.
    ///   - tableBytes: roughly how many bytes `make` holds.
    ///   - make: makes the block with this number. Only the last block may be shorter.
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

    func count(in charge: Charge) throws(ProcError) {
        try charge.take(bytes: tableBytes)
        kept.withLock { $0.charge = charge }
    }

    func read(at offset: UInt64, count: Int, _ reader: Reader) throws(ProcError) -> [ArraySlice<UInt8>] {
        var pieces: [ArraySlice<UInt8>] = []
        var position = offset
        let end = min(size, offset.addingReportingOverflow(UInt64(count)).partialValue)
        while position < end {
            let block: [UInt8]
            do throws(ProcError) {
                try reader.checkInterrupted()
                block = try self.block(position / blockSize, reader)
            } catch {
                // Return what there is; the next read tries again.
                if error.isPassing, !pieces.isEmpty { break }
                throw error
            }
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
                kept.charge?.takeSpare(bytes: block.count) ?? true
            {
                kept.blocks[number] = block
            }
            return block
        }
    }
}
