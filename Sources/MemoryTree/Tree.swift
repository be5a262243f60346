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
        /// Descriptors that may be open at a time: half of them are for handles, and a sixteenth is what each process
        /// held open and each address space may keep.
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
    package let holdings: Holdings
    let processes: PinnedProcesses
    let spaces: AddressSpaces
    /// A process that had the name when it was looked at last.
    let nameHints = Monitor([[UInt8]: Int32]())

    /// - Parameter report: told of each kind of refusal once.
    package init(
        _ options: Options, report: @escaping @Sendable (Refusal) -> Void = { _ in }
    ) throws(ProcError) {
        self.options = options
        root = try ProcRoot(path: options.proc)
        // Any directory can be opened; one without a process is no /proc.
        let processes = try root.processes()
        guard root.isLive || !processes.isEmpty else { throw .failed(.invalidArgument) }
        self.processes = PinnedProcesses(root, most: options.descriptors / 16)
        spaces = AddressSpaces(most: options.descriptors / 16)
        holdings = Holdings(descriptors: options.descriptors)
        access = try Access(options.access, root, report: report)
        files = FrameFiles(root)
        capabilities = Capabilities(root: root, files: files, scanAllowed: options.scanAllowed)
        cache = SnapshotCache(maximumAge: options.maximumAge * 1_000_000, budget: options.cacheBytes) {
            System.monotonicNanoseconds
        }
        decoders = Decoders(threads: options.threads, holdings)
    }

    /// The mapping list, young enough and, where a range must be in it, true for that.
    func mappings(of subject: Subject, holding range: AddressRange? = nil, _ reader: Reader) throws(ProcError)
        -> Mappings
    {
        guard let maps = subject.maps else { return Mappings([]) }
        return try cache.value(
            .maps(subject.key), for: reader,
            accept: { (kept: Mappings) in range.map { kept.index(of: $0) != nil } ?? true }, bytes: \.bytes
        ) { () throws(ProcError) in
            let text = try maps.readAll(for: reader)
            @Sendable func parsed() throws(ProcError) -> Mappings {
                Mappings(try ProcError.decode { () throws(DecodeError) in try parseMaps(text) })
            }
            return text.count < Self.longMaps
                ? try parsed() : try reader.onOwnThread { _ throws(ProcError) in try parsed() }
        }
    }

    /// The same with what they are called, which takes longer where files are deleted.
    func labels(of subject: Subject, holding range: AddressRange? = nil, _ reader: Reader) throws(ProcError) -> Labels {
        try cache.value(
            .labels(subject.key), for: reader,
            accept: { (kept: Labels) in range.map { kept.mappings.index(of: $0) != nil } ?? true }, bytes: \.bytes
        ) { () throws(ProcError) in
            let mappings = try mappings(of: subject, holding: range, reader)
            let labels = { @Sendable [memory = subject.memory] in Labels(mappings, memory: memory) }
            return mappings.bytes < Self.longMaps ? labels() : try reader.onOwnThread { _ in labels() }
        }
    }

    /// Bytes of a mapping list from which on making something of it takes a millisecond or more.
    private static let longMaps = 256 << 10

    /// The mapping with exactly this range.
    ///
    /// - Throws: `.absent` when there is none.
    func mapping(_ range: AddressRange, of subject: Subject, _ reader: Reader) throws(ProcError) -> VMA {
        let mappings = try mappings(of: subject, holding: range, reader)
        guard let index = mappings.index(of: range) else { throw .absent }
        return mappings.list[index]
    }

    /// Throws `.absent` unless there is a mapping with exactly this range at this moment; returns whether it has a file.
    @discardableResult
    func requireMapping(_ range: AddressRange, of subject: Subject, _ reader: Reader) throws(ProcError) -> Bool {
        guard let maps = subject.maps else { throw .absent }
        guard capabilities.hasQuery, range.start >> 63 == 0 else {
            return try mapping(range, of: subject, reader).hasFile
        }
        return try Self.query(range, maps)
    }

    /// The same for the process of a node, without more system calls than it takes.
    @discardableResult
    func requireMapping(_ range: AddressRange, of node: Node, _ reader: Reader) throws(ProcError) -> Bool {
        if capabilities.hasQuery, range.start >> 63 == 0, let id = node.process {
            let rights = try access.standing(of: reader.requester, to: id).rights()
            let maps = try visible(id, reader).open("maps", as: rights)
            // Without an address space there may be one that other threads still have.
            do { return try Self.query(range, maps) } catch { guard error == .gone else { throw error } }
        }
        return try requireMapping(range, of: try subject(of: node, reader), reader)
    }

    private static func query(_ range: AddressRange, _ maps: File) throws(ProcError) -> Bool {
        guard let answer = try VMAQuery.mapping(holding: range.start, in: maps), answer.range == range else {
            throw .absent
        }
        return answer.hasFile
    }

    /// What is needed to read pages of the subject; nil when it has no memory. Here the kernel decides about the right to.
    func walk(_ subject: Subject) throws(ProcError) -> PageWalk? {
        guard let memory = subject.memory else { return nil }
        let pageMap = PageMap(
            file: try memory.open("pagemap"), usesScan: capabilities.usesScan,
            asksForHuge: subject.context.view.flags != .known)
        return PageWalk(pageMap: pageMap, files: files, context: subject.context)
    }

    /// The extents of a range, shared among those who ask at the same time.
    func extents(of range: AddressRange, _ subject: Subject, _ walk: PageWalk, _ reader: Reader) throws(ProcError)
        -> [Extent]
    {
        guard range.start >> 63 == 0 else { return [] }
        return try cache.value(
            .extents(subject.key, range), for: reader, bytes: { $0.count * 24 + 64 }
        ) { () throws(ProcError) in
            var plan = PagePlan(walk.pageMap, spans: [range])
            return try plan.all(reader)
        }
    }
}

extension File {
    /// Everything, unless the reader gives up.
    func readAll(for reader: Reader) throws(ProcError) -> [UInt8] {
        let text = try ProcError.wrap { () throws(Errno) in try readAll { _ in !reader.isInterrupted() } }
        try reader.checkInterrupted()
        return text
    }
}
