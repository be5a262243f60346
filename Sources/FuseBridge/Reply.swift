import CFuse3
import MemoryTree
import ProcSource
import SystemPackage

/// A request of the kernel that waits for its reply. Exactly one reply is given.
@safe struct Request: @unchecked Sendable {
    // Safety: libfuse lets any thread ask and answer a request; `raw` lives until the reply.
    let raw: fuse_req_t

    var reader: Reader {
        let context = unsafe fuse_req_ctx(raw).pointee
        return Reader(thread: context.pid, user: context.uid) { unsafe fuse_req_interrupted(raw) != 0 }
    }

    func fail(_ errno: Errno) { unsafe fuse_reply_err(raw, errno.rawValue) }

    func done() { unsafe fuse_reply_err(raw, 0) }

    func none() { unsafe fuse_reply_none(raw) }

    /// An entry is valid for no time: a right may change at any moment, and so may what is there. The attributes of a
    /// directory are, for as short a time as the kernel knows (a tick): whoever walks a tree asks for them again right
    /// after the look-up that brought them, and nothing in them follows from a right to look inside.
    func entry(_ number: UInt64, _ status: stat) -> Bool {
        var entry = fuse_entry_param()
        entry.ino = number
        entry.attr = status
        if status.st_mode & 0o170000 == 0o040000 { entry.attr_timeout = 0.000_001 }
        return unsafe fuse_reply_entry(raw, &entry) == 0
    }

    func attributes(_ status: stat) {
        var status = status
        unsafe fuse_reply_attr(raw, &status, 0)
    }

    func link(_ target: [UInt8]) {
        let text = target.map { CChar(bitPattern: $0) } + [0]
        unsafe fuse_reply_readlink(raw, text)
    }

    /// False when the kernel has given up the open meanwhile, and will not release it.
    func opened(_ info: inout fuse_file_info) -> Bool {
        unsafe fuse_reply_open(raw, &info) != -Errno.noSuchFileOrDirectory.rawValue
    }

    func position(_ offset: UInt64) { unsafe fuse_reply_lseek(raw, off_t(offset)) }

    func filesystem(_ status: statvfs) {
        var status = status
        unsafe fuse_reply_statfs(raw, &status)
    }

    func bytes(_ bytes: ArraySlice<UInt8>) {
        unsafe bytes.withUnsafeBytes { part in
            _ = unsafe part.withMemoryRebound(to: CChar.self) { unsafe fuse_reply_buf(raw, $0.baseAddress, $0.count) }
        }
    }

    /// One answer out of several pieces, which are not copied together.
    func pieces(_ pieces: [ArraySlice<UInt8>]) {
        var vectors: [iovec] = unsafe []
        func add(_ rest: ArraySlice<ArraySlice<UInt8>>) {
            guard let piece = rest.first, unsafe vectors.count < Self.mostPieces else {
                unsafe fuse_reply_iov(raw, vectors, Int32(vectors.count))
                return
            }
            unsafe piece.withUnsafeBytes { bytes in
                unsafe vectors.append(
                    iovec(iov_base: UnsafeMutableRawPointer(mutating: bytes.baseAddress), iov_len: bytes.count))
                add(rest.dropFirst())
            }
        }
        add(pieces[...])
    }

    /// libfuse puts its header in front; the kernel takes no more (IOV_MAX).
    private static let mostPieces = 1023
}

/// Where the error came up: a name that leads nowhere any more is ENOENT, a handle whose process is gone ESRCH.
enum Place { case name, handle }

extension ProcError {
    /// The errno a reader gets: the one place that decides.
    func errno(at place: Place) -> Errno {
        switch self {
        case .gone: place == .name ? .noSuchFileOrDirectory : .noSuchProcess
        case .absent: .noSuchFileOrDirectory
        case .refused(let errno), .failed(let errno): errno
        case .interrupted: .interrupted
        case .malformed: .ioError
        }
    }
}
