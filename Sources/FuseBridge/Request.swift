import CFuse3
import MemoryTree
import ProcModel
import ProcSource
import Synchronization
import Syscalls
import SystemPackage

/// A request of the kernel that waits for its reply. It gets exactly one, from the first thread that claims it: the one
/// that works on it, or the one that learns that the reader has stopped waiting.
@safe final class Request: @unchecked Sendable {
    // Safety: libfuse lets any thread read and answer a request. `raw` lives until the reply. After `init`, only the
    // thread that has claimed the reply uses it.
    /// nil for a request made by a test: its reply goes nowhere.
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
        // The pointer stays valid: the reply first removes the callback, which waits until a running one has returned.
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

    /// Connects the job. It is told when the reader stops waiting, also if they already have.
    func attach(_ job: Job) {
        self.job.withLock { $0 = job }
        if wasInterrupted {
            job.giveUp(self)
            fail(.interrupted)
        }
        // After the reply the request no longer needs the job.
        if isClaimed.load(ordering: .acquiring) { detach() }
    }

    /// Whether the reader has stopped waiting.
    var wasInterrupted: Bool { isInterrupted.load(ordering: .acquiring) }

    /// Called when the reader has stopped waiting.
    func interrupted() {
        isInterrupted.store(true, ordering: .releasing)
        // libfuse may call back while the callback is being registered, and then still needs the request. In that case
        // `attach` replies.
        guard isRegistered.load(ordering: .acquiring) else { return }
        // Before the reply, so that a repeated request finds the work.
        job.withLock { $0 }?.giveUp(self)
        guard claim() else { return }
        if let raw = unsafe raw { unsafe fuse_reply_err(raw, Errno.interrupted.rawValue) }
        detach()
    }

    /// Drops the job, which is freed after the lock.
    private func detach() {
        _ = job.withLock { job in
            defer { job = nil }
            return job
        }
    }

    private func claim() -> Bool { !isClaimed.exchange(true, ordering: .acquiringAndReleasing) }

    /// Sends the reply unless another one was sent. Returns whether the kernel took it.
    ///
    /// - Parameter first: called when it is certain that this is the reply, before the reader can see it.
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

    /// Replies to a look-up. An entry is valid for no time: a right may change at any moment, and so may what the name
    /// stands for. The attributes of a directory are valid for the shortest time that the kernel knows (a tick),
    /// because a walk asks for them again right after the look-up. Not on a shared mount: there the kernel would show
    /// one reader what it was told for another.
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

    /// False when the open was interrupted meanwhile: then the kernel sends no RELEASE.
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

    /// Replies with several pieces, without copying them together.
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

    /// The kernel takes 1,024 buffers (IOV_MAX), and libfuse's header is one of them.
    private static let mostPieces = 1023
}
