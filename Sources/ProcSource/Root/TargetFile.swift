import CLinux
import ProcModel
import Syscalls
import SystemPackage

/// An open file of /proc for which reads may have to wait for the process. Each call is made in the lane of the process.
package struct TargetFile: Sendable {
    let file: any SourceFile
    package let lane: Lane
    /// The machine of the process.
    let machine: Machine

    /// pread(2) of at most `count` bytes.
    package func read(at offset: UInt64, count: Int) throws(ProcError) -> [UInt8] {
        try lane.call { () throws(Errno) in try file.read(at: offset, count: count) }
    }

    /// pread(2) of 64-bit words into part of an array. Returns the number of words read; fewer only at the end of the file.
    func readWords(at index: UInt64, into words: inout [UInt64], _ range: Range<Int>) throws(ProcError) -> Int {
        try lane.call { () throws(Errno) in try file.readWords(at: index, into: &words, range, machine.byteOrder) }
    }

    /// Appends the text from `offset` on, until `bytes` is almost full or the end is reached. After a failure `bytes` contains
    /// what was read before.
    ///
    /// - Returns: whether the end was reached.
    package func readBlock(at offset: UInt64, into bytes: inout [UInt8], capacity: Int) throws(ProcError) -> Bool {
        bytes.reserveCapacity(max(capacity, bytes.count + Self.mostAtATime))
        var offset = offset
        repeat {
            let part = try read(at: offset, count: Self.mostAtATime)
            if part.isEmpty { return true }
            bytes.append(contentsOf: part)
            offset += UInt64(part.count)
        } while capacity - bytes.count >= Self.mostAtATime
        return false
    }

    /// Reads the whole file. The text may end early if the address space ends: see `ProcessMemory.readAll`.
    func readAll() throws(ProcError) -> [UInt8] {
        var bytes: [UInt8] = []
        var capacity = 2 * Self.mostAtATime
        while try !readBlock(at: UInt64(bytes.count), into: &bytes, capacity: capacity) { capacity *= 2 }
        return bytes
    }

    /// Bytes per read. Files of /proc mostly return a page at a time.
    private static let mostAtATime = 8192

    /// PAGEMAP_SCAN; returns the number of regions written.
    func scan(_ argument: inout linux_scan) throws(ProcError) -> Int {
        try lane.call { () throws(Errno) in try file.scan(&argument) }
    }

    /// PROCMAP_QUERY without name and build id.
    func query(_ argument: inout linux_vma_query) throws(ProcError) {
        try lane.call { () throws(Errno) in try file.query(&argument) }
    }
}
