import CLinux
import ProcModel
import Syscalls
import SystemPackage

/// An open file of /proc whose reading may wait for the process that it is about: each call is made in its lane.
package struct TargetFile: Sendable {
    let file: any SourceFile
    package let lane: Lane
    /// The one that it tells about.
    let machine: Machine

    /// pread(2) of at most `count` bytes.
    package func read(at offset: UInt64, count: Int) throws(ProcError) -> [UInt8] {
        try lane.call { () throws(Errno) in try file.read(at: offset, count: count) }
    }

    /// pread(2) of 64-bit words into part of an array; returns how many came, fewer only at the end of the file.
    func readWords(at index: UInt64, into words: inout [UInt64], _ range: Range<Int>) throws(ProcError) -> Int {
        try lane.call { () throws(Errno) in try file.readWords(at: index, into: &words, range, machine.byteOrder) }
    }

    /// Appends the text behind `offset` until `bytes` has little room left, or the end is reached; what came before a
    /// failure is there all the same.
    ///
    /// - Returns: whether that was the end.
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

    /// All there is, of which the end proves nothing: see `ProcessMemory.readAll`.
    func readAll() throws(ProcError) -> [UInt8] {
        var bytes: [UInt8] = []
        var capacity = 2 * Self.mostAtATime
        while try !readBlock(at: UInt64(bytes.count), into: &bytes, capacity: capacity) { capacity *= 2 }
        return bytes
    }

    /// Files of /proc mostly give a page at a time.
    private static let mostAtATime = 8192

    /// PAGEMAP_SCAN; returns how many regions were written.
    func scan(_ argument: inout linux_scan) throws(ProcError) -> Int {
        try lane.call { () throws(Errno) in try file.scan(&argument) }
    }

    /// PROCMAP_QUERY without name and build id.
    func query(_ argument: inout linux_vma_query) throws(ProcError) {
        try lane.call { () throws(Errno) in try file.query(&argument) }
    }
}
