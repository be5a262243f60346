import CFuse3
import MemoryTree

/// Directory entries in the format of a READDIR reply.
struct DirectoryBuffer {
    private var buffer: [UInt8]
    private var used = 0

    init(size: Int) { buffer = [UInt8](repeating: 0, count: size) }

    var bytes: ArraySlice<UInt8> { buffer[..<used] }

    /// Adds an entry; false when it does not fit.
    mutating func add(_ name: [UInt8], _ type: UInt32, _ inode: InodeNumber, next: Int) -> Bool {
        var status = stat()
        status.st_ino = UInt(inode.rawValue)
        status.st_mode = type
        let text = name.map { CChar(bitPattern: $0) } + [0]
        let room = buffer.count - used
        let needed = unsafe buffer.withUnsafeMutableBytes { bytes in
            let place = unsafe bytes.baseAddress.map { unsafe ($0 + used).assumingMemoryBound(to: CChar.self) }
            // libfuse takes a request here but does not use it.
            return unsafe fuse_add_direntry(nil, place, room, text, &status, off_t(next))
        }
        guard needed <= room else { return false }
        used += needed
        return true
    }
}

extension Entry {
    /// The type bits of st_mode.
    var fileType: UInt32 {
        switch kind {
        case .directory: 0o040000
        case .file: 0o100000
        case .link: 0o120000
        }
    }
}
