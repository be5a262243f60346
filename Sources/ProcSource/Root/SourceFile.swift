import Syscalls
import SystemPackage

extension SourceFile {
    /// openat(2) with the rights of this process.
    package func open(_ path: String, _ flags: File.OpenFlags = .read) throws(Errno) -> any SourceFile {
        try open(path, flags, as: nil)
    }

    package func readLink(_ name: String) throws(Errno) -> [UInt8] { try readLink(name, as: nil) }

    package func list() throws(Errno) -> [[UInt8]] { try list(as: nil) }

    package func status(_ name: String = "", as who: Credentials? = nil) throws(Errno) -> File.Status {
        try status(name, followLinks: true, as: who)
    }

    /// pread(2) of at most `count` bytes.
    package func read(at offset: UInt64, count: Int) throws(Errno) -> [UInt8] {
        var failure: Errno?
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, length in
            do throws(Errno) {
                length = unsafe try read(at: offset, into: UnsafeMutableRawBufferPointer(buffer))
            } catch { failure = error }
        }
        if let failure { throw failure }
        return bytes
    }

    /// Reads words of pagemap, or of a file with one word per frame, into part of an array.
    ///
    /// - Returns: the number of words read; fewer than asked for only at the end of the file.
    package func readWords(
        at index: UInt64, into words: inout [UInt64], _ part: Range<Int>, _ order: Machine.ByteOrder
    ) throws(Errno) -> Int {
        var failure: Errno?
        let count = unsafe words.withUnsafeMutableBytes { bytes in
            let bytes = unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[part.lowerBound * 8..<part.upperBound * 8])
            var done = 0
            do throws(Errno) {
                while done < bytes.count {
                    let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[done...])
                    let got = unsafe try read(at: index * 8 + UInt64(done), into: rest)
                    if got < 8 { break }
                    done += got & ~7
                }
            } catch { failure = error }
            return done / 8
        }
        if let failure { throw failure }
        if order != .host {
            for index in part.prefix(count) { words[index] = words[index].byteSwapped }
        }
        return count
    }

    /// Reads the whole file from the beginning, in pieces as large as the kernel returns them. Not for pipes.
    package func readAll(expecting size: Int = 4096) throws(Errno) -> [UInt8] {
        var bytes: [UInt8] = []
        var capacity = max(size, 4096)
        while true {
            bytes.reserveCapacity(capacity)
            let chunk = min(capacity - bytes.count, 65536)
            guard chunk >= 4096 else {
                capacity *= 2
                continue
            }
            let part = try read(at: UInt64(bytes.count), count: chunk)
            if part.isEmpty { return bytes }
            bytes.append(contentsOf: part)
        }
    }

    /// Reads the whole of a file of /proc that mostly fits in one page. Then one call is enough.
    package func readShort() throws(Errno) -> [UInt8] {
        let page = try read(at: 0, count: 4096)
        return page.count < 3072 ? page : try readAll(expecting: 65536)
    }
}
