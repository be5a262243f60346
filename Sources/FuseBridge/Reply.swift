import CFuse3
import MemoryTree
import ProcSource
import SystemPackage

/// A request of the kernel that waits for its reply. Exactly one reply is given.
@safe struct Request: @unchecked Sendable {
    // Safety: libfuse lets any thread ask and answer a request; `raw` lives until the reply.
    let raw: fuse_req_t

    var reader: Reader {
        Reader(thread: unsafe fuse_req_ctx(raw).pointee.pid) { unsafe fuse_req_interrupted(raw) != 0 }
    }

    func fail(_ errno: Errno) { unsafe fuse_reply_err(raw, errno.rawValue) }

    func done() { unsafe fuse_reply_err(raw, 0) }

    func none() { unsafe fuse_reply_none(raw) }

    /// Entries and attributes are valid for no time: a right may change at any moment.
    func entry(_ number: UInt64, _ status: stat) -> Bool {
        var entry = fuse_entry_param()
        entry.ino = number
        entry.attr = status
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

    /// One answer out of several pieces, without copying them together when there is but one.
    func pieces(_ pieces: [ArraySlice<UInt8>]) {
        if pieces.count <= 1 {
            bytes(pieces.first ?? [])
        } else {
            bytes(ArraySlice(pieces.joined()))
        }
    }
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
