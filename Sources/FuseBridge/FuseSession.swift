import CFuse3
import Logging
import MemoryTree
import Syscalls
import SystemPackage

/// A mount and the threads that serve it.
@safe package final class FuseSession: @unchecked Sendable {
    // Safety: libfuse's session may be used from any thread.
    private let session: OpaquePointer
    private let bridge: Unmanaged<Bridge>
    private let crew: Crew

    package struct Failure: Error {
        package let message: String
    }

    /// Mounts the tree.
    ///
    /// - Parameters:
    ///   - options: mount options, as after `-o`.
    ///   - ready: called when the kernel has sent INIT; from then on requests are answered.
    package init(
        _ tree: Tree, at mountPoint: String, options: [String], debug: Bool, log: Logger,
        ready: @escaping @Sendable () -> Void
    ) throws(Failure) {
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
        let hurried = unsafe bridge.takeUnretainedValue().hurried
        let crew = unsafe Crew(session, log, tree.workers, hurry: hurried.hurry)
        self.crew = crew
        unsafe bridge.takeUnretainedValue().resume.withLock { $0 = crew.resume }
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
        unsafe bridge.takeUnretainedValue().beginService()
        if crew.serve() {
            close()
        } else {
            // Threads still use the session: the end of the process frees it.
            unsafe fuse_session_unmount(session)
        }
    }

    /// Unmounts and frees the session. No thread may use it any more.
    package func close() {
        unsafe fuse_session_unmount(session)
        unsafe fuse_session_destroy(session)
        unsafe bridge.release()
    }

    /// Ends `serve`, from any thread.
    package func stop() { crew.stop() }
}
