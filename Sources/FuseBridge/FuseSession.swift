import CFuse3
import Logging
import MemoryTree
import Syscalls
import SystemPackage

/// A mount and the threads that serve it.
@safe package final class FuseSession: @unchecked Sendable {
    // Safety: libfuse's session may be used from any thread; `state` guards the rest.
    private let session: OpaquePointer
    private let bridge: Unmanaged<Bridge>
    private let state = Monitor(State())
    private let log: Logger

    private struct State {
        var threads: [Int: Thread] = [:]
        var last = 0
        var running = 0
        /// Threads that are free to receive a request.
        var waiting = 0
        var isStopping = false
    }

    /// Threads that stay when there is little to do.
    private static let fewestThreads = 4
    /// A request may have to wait for the target's memory lock; only this many waiting ones could keep others out.
    private static let mostThreads = 256

    package struct Failure: Error {
        package let message: String
    }

    /// Mounts the tree.
    ///
    /// - Parameters:
    ///   - options: as behind `-o`.
    ///   - ready: called when the kernel has greeted; from then on requests are answered.
    package init(
        _ tree: Tree, at mountPoint: String, options: [String], debug: Bool, log: Logger,
        ready: @escaping @Sendable () -> Void
    ) throws(Failure) {
        self.log = log
        unsafe fuse_set_log_func { level, format, arguments in
            guard let format = unsafe format, let arguments = unsafe arguments else { return }
            FuseSession.lastMessage.withLock { $0 = unsafe System.format(format, arguments) }
            if FuseSession.printsDebug.withLock({ $0 }) {
                try? System.write(Array(FuseSession.lastMessage.withLock { $0 }.utf8), to: 2)
            }
        }
        Self.printsDebug.withLock { $0 = debug }
        unsafe bridge = .passRetained(Bridge(tree, log, ready: ready))
        var arguments = unsafe fuse_args(argc: 0, argv: nil, allocated: 0)
        for argument in ["pagefs", "-o", options.joined(separator: ",")] + (debug ? ["-d"] : []) {
            unsafe fuse_opt_add_arg(&arguments, argument)
        }
        defer { unsafe fuse_opt_free_args(&arguments) }
        var operations = Operations.table
        guard
            let session = unsafe fuse_session_new(
                &arguments, &operations, MemoryLayout<fuse_lowlevel_ops>.size, bridge.toOpaque())
        else { throw Failure(message: Self.explain("cannot start a FUSE session")) }
        unsafe self.session = session
        guard unsafe fuse_session_mount(session, mountPoint) == 0 else {
            unsafe fuse_session_destroy(session)
            throw Failure(message: Self.explain("cannot mount on \(mountPoint)"))
        }
    }

    private static let lastMessage = Monitor("")
    private static let printsDebug = Monitor(false)

    private static func explain(_ what: String) -> String {
        let why = lastMessage.withLock { $0 }.split(separator: "\n").first.map { String($0) } ?? ""
        return why.isEmpty ? what : "\(what): \(why)"
    }

    /// Serves until the file system is unmounted or `stop` is called, then unmounts.
    package func serve() {
        for _ in 0..<Self.fewestThreads { startThread() }
        // Wait for the end, and at the end make sure that no thread sleeps in a read.
        state.wait(atMost: 3_600_000) { state in state.isStopping || state.running == 0 ? () : nil }
        state.wait(atMost: 5) { state in
            for thread in state.threads.values { thread.interrupt() }
            return state.running == 0 ? () : nil
        }
        unsafe fuse_session_unmount(session)
        unsafe fuse_session_destroy(session)
        unsafe bridge.release()
    }

    package func stop() {
        unsafe fuse_session_exit(session)
        state.change { $0.isStopping = true }
    }

    private func startThread() {
        let number = state.withLock { state in
            state.last += 1
            state.running += 1
            state.waiting += 1
            return state.last
        }
        let started = Thread.start { [self] in
            state.withLock { $0.threads[number] = .current }
            receive(number)
            state.change { state in
                state.threads[number] = nil
                state.running -= 1
            }
        }
        if !started {
            state.change { state in
                state.running -= 1
                state.waiting -= 1
            }
            log.warning("no room for another thread")
        }
    }

    /// Receives and answers requests. Of all threads at least one is always free to receive: INTERRUPT comes the same
    /// way, and must not wait for what it is to interrupt.
    private func receive(_ number: Int) {
        var buffer = unsafe fuse_buf()
        defer { unsafe System.release(buffer.mem) }
        while unsafe fuse_session_exited(session) == 0 {
            let got = unsafe fuse_session_receive_buf(session, &buffer)
            if got == -Errno.interrupted.rawValue { continue }
            if got <= 0 {
                unsafe fuse_session_exit(session)
                state.change { $0.isStopping = true }
                break
            }
            let isLast = state.withLock { state in
                state.waiting -= 1
                return state.waiting == 0 && state.running < Self.mostThreads
            }
            if isLast { startThread() }
            unsafe fuse_session_process_buf(session, &buffer)
            let isSpare = state.withLock { state in
                if state.waiting >= Self.fewestThreads { return true }
                state.waiting += 1
                return false
            }
            if isSpare { return }
        }
        state.withLock { $0.waiting -= 1 }
    }
}
