import CFuse3
import MemoryTree
import ProcModel
import ProcSource
import Synchronization
import Syscalls
import SystemPackage

/// A request of the kernel that waits for its reply. Exactly one is given, by whoever is first: the thread that works on it,
/// or the one that learns that nobody waits any more.
@safe final class Request: @unchecked Sendable {
    // Safety: libfuse lets any thread ask and answer a request. `raw` lives until the reply, and only who has claimed that
    // uses it after `init`.
    /// nil for one that libfuse does not know: its reply goes nowhere.
    private let raw: fuse_req_t?
    let requester: Requester
    private let isClaimed = Atomic(false)
    private let isInterrupted = Atomic(false)
    private let isRegistered = Atomic(false)
    private let job = Monitor<Job?>(nil)

    init(_ raw: fuse_req_t) {
        unsafe self.raw = raw
        let context = unsafe fuse_req_ctx(raw).pointee
        requester = Requester(
            thread: context.pid > 0 ? PID(rawValue: context.pid) : nil, user: context.uid, group: context.gid)
        // The pointer stays good: whoever replies takes it back first, and that waits for a call under way.
        unsafe fuse_req_interrupt_func(
            raw,
            { _, request in
                guard let request = unsafe request else { return }
                unsafe Unmanaged<Request>.fromOpaque(request).takeUnretainedValue().interrupted()
            }, Unmanaged.passUnretained(self).toOpaque())
        isRegistered.store(true, ordering: .releasing)
    }

    /// A request without libfuse, for tests.
    init(of requester: Requester) {
        unsafe raw = nil
        self.requester = requester
        isRegistered.store(true, ordering: .releasing)
    }

    /// Tells the job when the reader stops waiting, also if that has been before.
    func attach(_ job: Job) {
        self.job.withLock { $0 = job }
        if wasInterrupted {
            job.giveUp(self)
            fail(.interrupted)
        }
        // With the reply they are done with each other.
        if isClaimed.load(ordering: .acquiring) { detach() }
    }

    /// Whether the reader has stopped waiting.
    var wasInterrupted: Bool { isInterrupted.load(ordering: .acquiring) }

    /// The reader has stopped waiting.
    func interrupted() {
        isInterrupted.store(true, ordering: .releasing)
        // libfuse, asked to call back, may do so at once, and still needs the request then: `attach` replies.
        guard isRegistered.load(ordering: .acquiring) else { return }
        // Before the reply: who asks again is to find the work.
        job.withLock { $0 }?.giveUp(self)
        guard claim() else { return }
        if let raw = unsafe raw { unsafe fuse_reply_err(raw, Errno.interrupted.rawValue) }
        detach()
    }

    /// Freed after the lock.
    private func detach() {
        _ = job.withLock { job in
            defer { job = nil }
            return job
        }
    }

    private func claim() -> Bool { !isClaimed.exchange(true, ordering: .acquiringAndReleasing) }

    /// Gives the reply unless somebody else has; whether the kernel took it.
    ///
    /// - Parameter first: done when it is settled that this is the reply, before anybody can act on it.
    @discardableResult
    private func reply(after first: () -> Void = {}, _ body: (fuse_req_t) -> Int32) -> Bool {
        guard claim() else { return false }
        first()
        defer { detach() }
        guard let raw = unsafe raw else { return true }
        unsafe fuse_req_interrupt_func(raw, nil, nil)
        return unsafe body(raw) == 0
    }

    @discardableResult
    func fail(_ errno: Errno) -> Bool { unsafe reply { unsafe fuse_reply_err($0, errno.rawValue) } }

    func done() { unsafe reply { unsafe fuse_reply_err($0, 0) } }

    func none() {
        unsafe reply { raw in
            unsafe fuse_reply_none(raw)
            return 0
        }
    }

    /// An entry is valid for no time: a right may change at any moment, and so may what is there. The attributes of a
    /// directory are, for as short a time as the kernel knows (a tick): whoever walks a tree asks for them again right
    /// after the look-up that brought them. But not on a shared mount: what one reader was told the kernel would tell
    /// the next.
    func entry(_ number: InodeNumber, _ generation: UInt64, _ status: stat, isShared: Bool) -> Bool {
        var entry = fuse_entry_param()
        entry.ino = number.rawValue
        entry.generation = generation
        entry.attr = status
        if !isShared, status.st_mode & 0o170000 == 0o040000 { entry.attr_timeout = 0.000_001 }
        return unsafe reply { unsafe fuse_reply_entry($0, &entry) }
    }

    func attributes(_ status: stat) -> Bool {
        var status = status
        return unsafe reply { unsafe fuse_reply_attr($0, &status, 0) }
    }

    func link(_ target: [UInt8]) -> Bool {
        let text = target.map { CChar(bitPattern: $0) } + [0]
        return unsafe reply { unsafe fuse_reply_readlink($0, text) }
    }

    /// False when the kernel has given up the open meanwhile, and will not release it.
    func opened(_ handle: HandleNumber, _ info: fuse_file_info) -> Bool {
        var info = info
        info.fh = handle.rawValue
        return unsafe reply { unsafe fuse_reply_open($0, &info) == -Errno.noSuchFileOrDirectory.rawValue ? -1 : 0 }
    }

    func position(_ offset: UInt64) -> Bool { unsafe reply { unsafe fuse_reply_lseek($0, off_t(offset)) } }

    func filesystem(_ status: statvfs) {
        var status = status
        unsafe reply { unsafe fuse_reply_statfs($0, &status) }
    }

    func bytes(_ bytes: ArraySlice<UInt8>) -> Bool {
        unsafe reply { raw in
            unsafe bytes.withUnsafeBytes { part in
                unsafe part.withMemoryRebound(to: CChar.self) { unsafe fuse_reply_buf(raw, $0.baseAddress, $0.count) }
            }
        }
    }

    /// One answer out of several pieces, which are not copied together.
    func pieces(_ pieces: [ArraySlice<UInt8>], after first: () -> Void) -> Bool {
        unsafe reply(after: first) { raw in
            var vectors: [iovec] = unsafe []
            func add(_ rest: ArraySlice<ArraySlice<UInt8>>) -> Int32 {
                guard let piece = rest.first, unsafe vectors.count < Self.mostPieces else {
                    return unsafe fuse_reply_iov(raw, vectors, Int32(vectors.count))
                }
                return unsafe piece.withUnsafeBytes { bytes in
                    unsafe vectors.append(
                        iovec(iov_base: UnsafeMutableRawPointer(mutating: bytes.baseAddress), iov_len: bytes.count))
                    return add(rest.dropFirst())
                }
            }
            return add(pieces[...])
        }
    }

    /// libfuse puts its header in front; the kernel takes no more (IOV_MAX).
    private static let mostPieces = 1023
}

/// Where the error came up: a name that leads nowhere any more is ENOENT, a handle whose process is gone ESRCH.
enum ErrorOrigin { case name, handle }

extension ProcError {
    /// The errno a reader gets: the one place that decides.
    func errno(at place: ErrorOrigin) -> Errno {
        switch self {
        case .gone: place == .name ? .noSuchFileOrDirectory : .noSuchProcess
        case .absent: .noSuchFileOrDirectory
        case .refused(let errno), .failed(let errno): errno
        case .interrupted: .interrupted
        case .mustWait: .resourceTemporarilyUnavailable
        case .malformed: .ioError
        }
    }
}
