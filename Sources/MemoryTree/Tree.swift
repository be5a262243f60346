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
        /// Milliseconds for which an answer may be given again; 0 for never.
        package var maximumAge: UInt64 = 1000
        /// Bytes that kept answers may take.
        package var cacheBytes = 64 << 20
        /// Render texts at stat, so that their size is right there too.
        package var sizesExact = false
        package var scanAllowed = true
        /// Threads that decode pages.
        package var threads = min(4, System.processorCount)
        /// Whose rights count.
        package var access = Access.Options()
        /// Descriptors that may be open at a time: half of them are for handles, three sixteenths for processes held open.
        package var descriptors = 1024

        package init() {}
    }

    package let options: Options
    package let root: ProcRoot
    package let capabilities: Capabilities
    package let cache: SnapshotCache
    package let statistics = Statistics()
    package let access: Access
    let files: FrameFiles
    let decoders: Decoders
    package let quota: HandleQuota
    let processes: SeenProcesses
    /// A process that had the name when it was looked at last; a few names.
    let nameHints = Monitor([[UInt8]: Int32]())
    private let caretaker: Caretaker

    /// - Parameter report: told of each kind of refusal once.
    package init(
        _ options: Options, report: @escaping @Sendable (Refusal) -> Void = { _ in }
    ) throws(ProcError) {
        self.options = options
        root = try ProcRoot(path: options.proc)
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

    /// Whether the process lives, or another has its number.
    @Sendable package func isAlive(_ process: ProcessID) -> Bool { root.exists(process.pid) }

    /// To be called when the daemon has given up what it does not need, and not before: a thread keeps what it starts with.
    package func beginService() { caretaker.start() }

    /// - Parameter task: done when the tree holds nothing any more that somebody has asked for.
    package func whenIdle(_ task: @escaping @Sendable () -> Void) { caretaker.finish(with: task) }

    /// The mapping list, young enough and, where a range must be in it, true for that.
    func mappings(of opened: OpenedProcess, holding range: AddressRange? = nil, _ reader: Reader) throws(ProcError)
        -> Mappings
    {
        guard let memory = opened.memory else { return Mappings([]) }
        return try cache.value(
            .maps(opened.key), for: reader,
            accept: { (kept: Mappings) in range.map { kept.index(of: $0) != nil } ?? true }, bytes: \.bytes
        ) { () throws(ProcError) in
            let text = try memory.readAll(memory.maps)
            return Mappings(try ProcError.decode { () throws(DecodeError) in try parseMaps(text) }, text)
        }
    }

    /// The same with what they are called, which takes longer where files are deleted.
    func labels(of opened: OpenedProcess, holding range: AddressRange? = nil, _ reader: Reader) throws(ProcError)
        -> Labels
    {
        try cache.value(
            .labels(opened.key), for: reader,
            accept: { (kept: Labels) in range.map { kept.mappings.index(of: $0) != nil } ?? true }, bytes: \.bytes
        ) { () throws(ProcError) in
            try Labels(try mappings(of: opened, holding: range, reader), memory: opened.memory, reader)
        }
    }

    /// The mapping with exactly this range.
    ///
    /// - Throws: `.absent` when there is none.
    func mapping(_ range: AddressRange, of opened: OpenedProcess, _ reader: Reader) throws(ProcError) -> VMA {
        let mappings = try mappings(of: opened, holding: range, reader)
        guard let index = mappings.index(of: range) else { throw .absent }
        return mappings.list[index]
    }

    /// Throws `.absent` unless there is a mapping with exactly this range at this moment; returns whether it has a file.
    @discardableResult
    func requireMapping(_ range: AddressRange, of opened: OpenedProcess, _ reader: Reader) throws(ProcError) -> Bool {
        guard let maps = opened.memory?.maps else { throw .absent }
        guard capabilities.hasQuery, range.start >> 63 == 0 else {
            return try mapping(range, of: opened, reader).hasFile
        }
        return try Self.query(range, maps)
    }

    /// The same for the process of a node, without more system calls than it takes.
    @discardableResult
    func requireMapping(_ range: AddressRange, of node: Node, _ reader: Reader) throws(ProcError) -> Bool {
        if capabilities.hasQuery, range.start >> 63 == 0, let id = node.process {
            let rights = try access.decision(of: reader.requester, to: id).rights()
            let maps = try processToRead(id, reader).open("maps", as: rights)
            // Without an address space there may be one that other threads still have.
            do { return try Self.query(range, maps) } catch { guard error == .gone else { throw error } }
        }
        return try requireMapping(range, of: try opened(of: node, reader), reader)
    }

    private static func query(_ range: AddressRange, _ maps: TargetFile) throws(ProcError) -> Bool {
        guard let answer = try VMAQuery.mapping(holding: range.start, in: maps), answer.range == range else {
            throw .absent
        }
        return answer.hasFile
    }

    /// What is needed to read pages of the opened; nil when it has no memory. Here the kernel decides about the right to.
    func walk(_ opened: OpenedProcess) throws(ProcError) -> PageWalk? {
        guard let memory = opened.memory else { return nil }
        let pageMap = PageMap(
            file: try memory.open("pagemap"), usesScan: capabilities.usesScan,
            asksForHuge: opened.context.view.flags != .known)
        return PageWalk(pageMap: pageMap, files: files, context: opened.context)
    }

    /// The extents of a mapping, shared among those who ask at the same time. Room for them is found as they are.
    func extents(of range: AddressRange, _ opened: OpenedProcess, _ walk: PageWalk, _ reader: Reader) throws(ProcError)
        -> [Extent]
    {
        guard range.start >> 63 == 0 else { return [] }
        return try cache.value(
            .extents(opened.key, range), for: reader, bytes: { $0.count * MemoryLayout<Extent>.stride + 64 }
        ) { () throws(ProcError) in
            var plan = PagePlan(walk.pageMap, spans: [range])
            let extents = try plan.all(reader, Charge(quota, reader.requester.user))
            try requireMapped(range, opened, reader)
            return extents
        }
    }

    /// How many pages of a mapping have an entry; holds nothing of what it finds.
    func pageCount(of range: AddressRange, _ opened: OpenedProcess, _ walk: PageWalk, _ reader: Reader)
        throws(ProcError)
        -> UInt64
    {
        guard range.start >> 63 == 0 else { return 0 }
        return try cache.value(.pageCount(opened.key, range), for: reader, bytes: { _ in 64 }) {
            () throws(ProcError) in
            var plan = PagePlan(walk.pageMap, spans: [range])
            return try plan.count(reader)
        }
    }

    /// Throws `.gone` unless all addresses of the range are mapped still: else what was found there may be the beginning of
    /// an answer only.
    func requireMapped(_ range: AddressRange, _ opened: OpenedProcess, _ reader: Reader) throws(ProcError) {
        guard let memory = opened.memory else { throw .gone }
        guard range.start >> 63 == 0 else { return }
        var end = range.start
        if capabilities.hasQuery {
            while end < range.end {
                try reader.checkInterrupted()
                guard let answer = try VMAQuery.mapping(holding: end, in: memory.maps) else { throw .gone }
                end = answer.range.end
            }
        } else {
            let text = try memory.readAll(memory.maps)
            for vma in try ProcError.decode({ () throws(DecodeError) in try parseMaps(text) })
            where vma.range.contains(end) { end = vma.range.end }
            guard end >= range.end else { throw .gone }
        }
    }
}
