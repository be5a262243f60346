import ProcModel
import ProcSource

extension Tree {
    /// The mapping list, not older than the maximum age. A kept list without `range` is not used.
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

    /// The same with labels. It takes longer where files are deleted.
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

    /// Checks that there is a mapping with exactly this range: now, or without PROCMAP_QUERY within the maximum age.
    /// - Returns: whether it has a file.
    /// - Throws: `.absent` when there is none.
    @discardableResult
    func requireMapping(_ range: AddressRange, of opened: OpenedProcess, _ reader: Reader) throws(ProcError) -> Bool {
        guard let maps = opened.memory?.maps else { throw .absent }
        guard capabilities.hasQuery, range.start >> 63 == 0 else {
            return try mapping(range, of: opened, reader).hasFile
        }
        return try Self.query(range, maps)
    }

    /// The same for a process that is not opened yet, with as few system calls as possible.
    @discardableResult
    func requireMapping(_ range: AddressRange, of id: ProcessID, _ reader: Reader) throws(ProcError) -> Bool {
        if capabilities.hasQuery, range.start >> 63 == 0 {
            let rights = try access.decision(of: reader.requester, to: id).rights()
            let maps = try processToRead(id, reader).open("maps", as: rights)
            // The first thread has no address space any more, but others may still have one.
            do { return try Self.query(range, maps) } catch { guard error == .gone else { throw error } }
        }
        return try requireMapping(range, of: try opened(id, reader), reader)
    }

    /// The mapping that holds the address.
    ///
    /// - Throws: `.absent` when there is none.
    func mapping(holding address: UInt64, of opened: OpenedProcess, _ reader: Reader) throws(ProcError) -> AddressRange
    {
        if capabilities.hasQuery, address >> 63 == 0, let maps = opened.memory?.maps {
            guard let answer = try VMAQuery.mapping(holding: address, in: maps) else { throw .absent }
            return answer.range
        }
        guard let vma = try mappings(of: opened, reader).mapping(holding: address) else { throw .absent }
        return vma.range
    }

    private static func query(_ range: AddressRange, _ maps: TargetFile) throws(ProcError) -> Bool {
        guard let answer = try VMAQuery.mapping(holding: range.start, in: maps), answer.range == range else {
            throw .absent
        }
        return answer.hasFile
    }

    /// Opens pagemap with the reader's rights: here the kernel decides. nil when the process has no memory.
    func walk(_ opened: OpenedProcess) throws(ProcError) -> PageWalk? {
        guard let memory = opened.memory else { return nil }
        let pageMap = PageMap(
            file: try memory.open("pagemap"), usesScan: capabilities.usesScan,
            asksForHuge: opened.context.view.flags != .known)
        return PageWalk(pageMap: pageMap, files: files, context: opened.context)
    }

    /// The extents of a mapping. Readers with the same rights share them. Their bytes are counted in the quota while
    /// they are being found.
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

    /// How many pages of a mapping have an entry. The extents are not kept.
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

    /// Throws `.gone` unless all addresses of the range are still mapped. If they are not, what was found there may be
    /// incomplete.
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
