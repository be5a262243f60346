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
    let files: FrameFiles
    let decoders: Decoders
    package let holdings: Holdings
    let processes: PinnedProcesses
    let spaces: AddressSpaces

    package init(_ options: Options) throws(ProcError) {
        self.options = options
        root = try ProcRoot(path: options.proc)
        // Any directory can be opened; one without a process is no /proc.
        let processes = try root.processes()
        guard root.isLive || !processes.isEmpty else { throw .failed(.invalidArgument) }
        self.processes = PinnedProcesses(root, most: options.descriptors / 16)
        spaces = AddressSpaces(most: options.descriptors / 16)
        holdings = Holdings(descriptors: options.descriptors)
        files = FrameFiles(root)
        capabilities = Capabilities(root: root, files: files, scanAllowed: options.scanAllowed)
        cache = SnapshotCache(maximumAge: options.maximumAge * 1_000_000, budget: options.cacheBytes) {
            System.monotonicNanoseconds
        }
        decoders = Decoders(threads: options.threads, holdings)
    }

    var context: FrameContext { capabilities.frames }
    var hidesFrames: Bool { context.view.frame == .hidden }

    /// The process of a node with its memory as it is now.
    func subject(of node: Node) throws(ProcError) -> Subject {
        guard let id = node.process else { throw .absent }
        let process = try processes.process(id)
        guard let memory = try process.memory() else {
            return Subject(process: process, memory: nil, maps: nil, space: 0)
        }
        let maps = try memory.open("maps")
        return Subject(
            process: process, memory: memory, maps: maps, space: spaces.number(of: id, memory.stat, maps: maps))
    }

    /// The process, if it lives.
    func pin(_ id: ProcessID) throws(ProcError) -> PinnedProcess {
        let process = try processes.process(id)
        guard process.isAlive else { throw .gone }
        return process
    }

    /// The mapping list, young enough and, where a range must be in it, true for that.
    func mappings(of subject: Subject, holding range: AddressRange? = nil, _ reader: Reader) throws(ProcError)
        -> Mappings
    {
        guard let maps = subject.maps else { return Mappings([]) }
        return try cache.value(
            .maps(subject.process.id, subject.space), for: reader,
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
            .labels(subject.process.id, subject.space), for: reader,
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
            let maps = try processes.process(id).open("maps")
            // Without an address space there may be one that other threads still have.
            do { return try Self.query(range, maps) } catch { guard error == .gone else { throw error } }
        }
        return try requireMapping(range, of: try subject(of: node), reader)
    }

    private static func query(_ range: AddressRange, _ maps: File) throws(ProcError) -> Bool {
        guard let answer = try VMAQuery.mapping(holding: range.start, in: maps), answer.range == range else {
            throw .absent
        }
        return answer.hasFile
    }

    /// What is needed to read pages of the subject; nil when it has no memory.
    func walk(_ subject: Subject) throws(ProcError) -> PageWalk? {
        guard let memory = subject.memory else { return nil }
        let pageMap = PageMap(
            file: try memory.open("pagemap"), usesScan: capabilities.usesScan, asksForHuge: hidesFrames)
        return PageWalk(pageMap: pageMap, files: files, context: context)
    }

    /// The extents of a range, shared among those who ask at the same time.
    func extents(of range: AddressRange, _ subject: Subject, _ walk: PageWalk, _ reader: Reader) throws(ProcError)
        -> [Extent]
    {
        guard range.start >> 63 == 0 else { return [] }
        return try cache.value(
            .extents(subject.process.id, subject.space, range), for: reader, bytes: { $0.count * 24 + 64 }
        ) { () throws(ProcError) in
            var plan = PagePlan(walk.pageMap, spans: [range])
            return try plan.all(reader)
        }
    }
}

/// A process at this moment.
struct Subject: Sendable {
    let process: PinnedProcess
    /// nil for a kernel thread or a zombie.
    let memory: ProcessMemory?
    /// Opened now, with the right to: everything else about the address space may be shown to the same reader.
    let maps: File?
    /// See `AddressSpaces`.
    let space: UInt32
}

extension File {
    /// Everything, unless the reader gives up.
    func readAll(for reader: Reader) throws(ProcError) -> [UInt8] {
        let text = try ProcError.wrap { () throws(Errno) in try readAll { _ in !reader.isInterrupted() } }
        try reader.checkInterrupted()
        return text
    }
}
