import ProcModel
import ProcSource
import ProcText
import Syscalls
import SystemPackage

/// The tree itself: which nodes there are, and what each contains. Knows nothing of FUSE.
package final class Tree: Sendable {
    /// What the mount options set.
    package struct Options: Sendable {
        /// A directory laid out like /proc.
        package var proc = "/proc"
        /// Milliseconds for which an answer may be reused; 0 for never.
        package var maximumAge: UInt64 = 1000
        /// Bytes that kept answers may take.
        package var cacheBytes = 64 << 20
        /// Make texts at stat, so that their size is right there too.
        package var sizesExact = false
        package var scanAllowed = true
        /// Threads that decode pages.
        package var threads = min(4, System.processorCount)
        /// Whose rights count.
        package var access = Access.Options()
        /// Descriptors that may be open at a time: half of them are for handles, three sixteenths for processes held
        /// open.
        package var descriptors = 1024

        package init() {}
    }

    package let options: Options
    package let root: ProcRoot
    package let capabilities: Capabilities
    package let cache: SnapshotCache
    let statistics = Statistics()
    let access: Access
    let files: FrameFiles
    let decoders: Decoders
    let quota: HandleQuota
    let processes: SeenProcesses
    /// For some names, a process that had the name when it was last looked at.
    let nameHints = Monitor([[UInt8]: PID]())
    private let caretaker: Caretaker

    /// - Parameters:
    ///   - source: what to read instead of the directory that the options name.
    ///   - report: called once for each kind of refusal.
    package init(
        _ options: Options, on source: (any Source)? = nil, report: @escaping @Sendable (Refusal) -> Void = { _ in }
    ) throws(ProcError) {
        self.options = options
        let source: any Source = if let source { source } else { try ProcDirectory(path: options.proc) }
        root = ProcRoot(source)
        // Any directory can be opened; one without a process is no /proc.
        let processes = try root.processes()
        guard root.isLive || !processes.isEmpty else { throw .failed(.invalidArgument) }
        FileSystems.prepare()
        let caretaker = Caretaker()
        self.caretaker = caretaker
        let cache = SnapshotCache(
            maximumAge: options.maximumAge * 1_000_000, budget: options.cacheBytes, onFirst: caretaker.start
        ) { System.monotonicNanoseconds }
        self.cache = cache
        self.processes = SeenProcesses(
            root, most: options.descriptors / 16, maximumAge: options.maximumAge * 1_000_000,
            onFirst: caretaker.start, onDrop: cache.forget)
        quota = HandleQuota(descriptors: options.descriptors)
        access = try Access(options.access, root, onFirst: caretaker.start, report: report)
        files = FrameFiles(root)
        capabilities = Capabilities(root: root, files: files, scanAllowed: options.scanAllowed)
        decoders = Decoders(threads: options.threads, quota)
        caretaker.look(after: [self.processes.letGo, cache.letGo, access.letGo, { [nameHints] in nameHints.letGo() }])
    }

    /// Whether the process lives. Also true if another process has its number now.
    @Sendable package func isAlive(_ process: ProcessID) -> Bool { root.exists(process.pid) }

    /// Starts the tree's own thread. Call it after the daemon has dropped privileges, not before: a thread keeps the
    /// credentials that it starts with.
    package func beginService() { caretaker.start() }

    /// - Parameter task: called when the tree holds nothing for any reader any more, and every half minute while it
    ///   does.
    package func whenIdle(_ task: @escaping @Sendable () -> Void) { caretaker.finish(with: task) }
}
