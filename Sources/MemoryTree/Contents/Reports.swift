import ProcModel
import ProcSource
import ProcText
import Syscalls
import SystemPackage

extension LineWriter {
    /// `Key:` padded as in smaps, and a word.
    mutating func line(_ key: String, _ value: some StringProtocol, width: Int = smapsKeyWidth) {
        line(key, width: width) { $0.text(value) }
    }

    mutating func line(_ key: String, width: Int = smapsKeyWidth, _ value: (inout LineWriter) -> Void) {
        text((key + ":").padded(width))
        value(&self)
        newline()
    }

    /// A size in kB or a plain number, right-aligned as in smaps.
    mutating func line(_ key: String, number: UInt64, unit: String = "", width: Int = smapsKeyWidth) {
        line(key, width: width) { line in
            line.field(Column(width: 8, alignment: .right)) { $0.decimal(number) }
            line.text(unit)
        }
    }
}

/// Where the value begins in smaps.
let smapsKeyWidth = 16

extension Tree {
    /// `info` of a process. Says of anybody what /proc/PID/status tells everybody.
    func processInfo(_ process: PinnedProcess, _ view: ReaderView) throws(ProcError) -> [UInt8] {
        var text = LineWriter()
        let stat = try statusLines(process, &text)
        text.line("Started") { $0.time(milliseconds: root.machine.time(ofTicks: stat.startTime)) }
        let executable = Result { () throws(ProcError) in
            try process.readLink("exe", as: try view.decision.rights())
        }
        if case .failure(let error) = executable {
            try error.throwIfUnanswered()
            // A process without a program has none; one that has ended has no answer.
            guard process.isAlive else { throw .gone }
        }
        text.line("Executable") { (text: inout LineWriter) in
            switch executable {
            case .success(let path): text.escaped(path, keepingBlanks: true)
            case .failure(.refused): text.byte("?")
            case .failure: text.byte("-")
            }
        }
        return text.bytes
    }

    private func statusLines(_ process: PinnedProcess, _ text: inout LineWriter) throws(ProcError) -> ProcessStat {
        let stat = try process.stat()
        let status = try process.status()
        text.line("Name") { $0.escaped(stat.command, keepingBlanks: true) }
        for key in ["State", "Pid", "Uid", "Threads"] { text.line(key, status[key] ?? "-") }
        text.line("Kthread", status["Kthread"] ?? (stat.isKernelThread ? "1" : "0"))
        return stat
    }

    /// `summary` of a process: smaps_rollup, then what the page map says.
    func processSummary(
        _ opened: OpenedProcess, _ walk: PageWalk?, _ reader: Reader
    ) throws(ProcError) -> [UInt8] {
        var text = LineWriter()
        guard let memory = opened.memory else {
            _ = try statusLines(opened.process, &text)
            return text.bytes
        }
        // The kernel walks the page tables for it while we count entries.
        let file = try memory.open("smaps_rollup")
        let rollup = BackgroundReader<[UInt8]>(most: 1, memory.process.lane) { _ throws(ProcError) in
            try memory.readAll(file)
        }
        let first = try rollup.nextIfReady(reader)
        let spans = try mappings(of: opened, reader).spans()
        let counts = try walk.map { walk throws(ProcError) in
            try entryCounts(spans, walk, reader) { _ throws(ProcError) in try memory.requireAlive() }
        }
        guard let block = if let first { first } else { try rollup.next(reader) } else { throw .gone }
        try summary(block, counts, &text)
        return text.bytes
    }

    /// `summary` of a mapping.
    func mappingSummary(
        _ range: AddressRange, _ opened: OpenedProcess, _ walk: PageWalk?, _ reader: Reader
    ) throws(ProcError) -> [UInt8] {
        let spans = range.start >> 63 == 0 ? [range] : []
        var text = LineWriter()
        let block = Array(try smaps(range, opened, reader))
        let counts = try walk.map { walk throws(ProcError) in
            try entryCounts(spans, walk, reader) { reader throws(ProcError) in
                try self.requireMapped(range, opened, reader)
            }
        }
        try summary(block, counts, &text)
        return text.bytes
    }

    private func summary(_ block: [UInt8], _ counts: EntryCounts?, _ text: inout LineWriter) throws(ProcError) {
        let smaps = try ProcError.decode { () throws(DecodeError) in
            var cursor = ByteCursor(block)
            cursor.position = min(cursor.endOfLine + 1, cursor.limit)
            return try SMaps(lines: &cursor)
        }
        for field in smaps.fields {
            if field.value.hasSuffix(" kB") {
                text.line(field.key, number: field.number, unit: " kB")
            } else {
                text.line(field.key, field.value)
            }
        }
        text.line("Uss", number: smaps.uss, unit: " kB")
        let numbers = [("Entries", counts?.entries)] + EntryCounts.states.map { ($0.key, counts?[$0.state]) }
        for (key, number) in numbers {
            if let number { text.line(key, number: number) } else { text.line(key, "       ?") }
        }
    }

    /// `info` of a mapping.
    func mappingInfo(_ range: AddressRange, _ opened: OpenedProcess, _ reader: Reader) throws(ProcError) -> [UInt8] {
        let labels = try labels(of: opened, holding: range, reader)
        guard let index = labels.mappings.index(of: range) else { throw .absent }
        let (vma, object, label) = (labels.mappings.list[index], labels.objects[index], labels.labels[index])
        let block = Array(try smaps(range, opened, reader))
        let smaps = try ProcError.decode { () throws(DecodeError) in
            var cursor = ByteCursor(block)
            cursor.position = min(cursor.endOfLine + 1, cursor.limit)
            return try SMaps(lines: &cursor)
        }
        var text = LineWriter()
        text.line("Range") { $0.range(vma.range) }
        text.line("Size", number: vma.range.size / 1024, unit: " kB")
        text.line("Perms", vma.permissions.text)
        text.line("Offset") { $0.hex(vma.offset) }
        text.line("Device") { $0.device(vma) }
        text.line("Inode") { $0.decimal(vma.inode) }
        text.line("Name") { $0.name(object.name) }
        text.line("Deleted", object.isDeleted.map { $0 ? "yes" : "no" } ?? "-")
        text.line("Label") { text in if let label { text.raw(label) } else { text.byte("-") } }
        for key in ["KernelPageSize", "MMUPageSize"] {
            text.line(key, number: smaps.kilobytes(key), unit: " kB")
        }
        text.line("THPeligible", smaps["THPeligible"]?.value ?? "-")
        let codes = smaps["VmFlags"]?.value.split(separator: " ") ?? []
        text.line("VmFlags", codes.map { "\(VMFlags.meaning(String($0))) (\($0))" }.joined(separator: ", "))
        text.line(
            "Raw",
            Entry.raw.children.map { "raw/" + String(decoding: $0.fixedName!, as: UTF8.self) }.joined(separator: " "))
        return text.bytes
    }

    /// The kernel's own lines about a mapping.
    func smaps(_ range: AddressRange, _ opened: OpenedProcess, _ reader: Reader) throws(ProcError) -> ArraySlice<UInt8>
    {
        guard let memory = opened.memory else { throw .absent }
        let all = try cache.value(
            .smaps(opened.key), for: reader,
            accept: { (kept: SMapsText) in kept.block(of: range) != nil },
            bytes: { $0.text.count + $0.blocks.count * 48 }
        ) { () throws(ProcError) in
            SMapsText(try memory.readAll(try memory.open("smaps")))
        }
        guard let block = all.block(of: range) else { throw .absent }
        return all.text[block]
    }

    /// The text of the file `status`.
    func statusText() -> [UInt8] {
        var text = LineWriter()
        func status(_ key: String, _ number: UInt64, unit: String = "") {
            text.line(key, number: number, unit: unit, width: 38)
        }
        let cache = cache.counters
        status("Uptime", (System.monotonicNanoseconds - statistics.start) / 1_000_000, unit: " ms")
        status("Max_age", options.maximumAge, unit: " ms")
        status("Cache_budget", UInt64(self.cache.budget) / 1024, unit: " kB")
        status("Cache_bytes", UInt64(max(0, cache.bytes)))
        status("Cache_hits", cache.hits)
        status("Cache_misses", cache.misses)
        status("Cache_evictions", cache.evictions)
        status("Handles", UInt64(quota.total.handles))
        status("Handle_bytes", UInt64(quota.total.bytes))
        status("Threads", UInt64(options.threads))
        if let own = try? File.open("/proc/self/status").readAll() {
            let file = StatusFile(own)
            for key in ["VmRSS", "VmHWM"] {
                status(key, UInt64(file[key]?.split(separator: " ").first ?? "0") ?? 0, unit: " kB")
            }
        }
        for (name, count) in statistics.requests { status("Requests_\(name)", count) }
        for (place, opens) in statistics.opens {
            let name = place.path.replacingSlashes
            status("Opens_\(name)", opens.count)
            status("Time_\(name)", opens.nanoseconds / 1000, unit: " us")
        }
        return text.bytes
    }
}

extension String {
    fileprivate var replacingSlashes: String { String(map { $0 == "/" ? "_" : $0 }) }
}

extension LineWriter {
    mutating func device(_ vma: VMA) {
        hex(UInt64(vma.deviceMajor), minimum: 2)
        byte(":")
        hex(UInt64(vma.deviceMinor), minimum: 2)
    }

    /// A name as last column or value; `-` when there is none.
    mutating func name(_ name: [UInt8]) {
        if name.isEmpty { byte("-") } else { escaped(name, keepingBlanks: true) }
    }
}

/// A text of smaps and where each mapping's lines are.
struct SMapsText: Sendable {
    let text: [UInt8]
    let blocks: [Range<Int>]
    private let index: [UInt64: Int]

    init(_ text: [UInt8]) {
        self.text = text
        blocks = smapsBlocks(text)
        var index: [UInt64: Int] = [:]
        for (number, block) in blocks.enumerated() {
            var cursor = ByteCursor(text, from: block.lowerBound, to: block.upperBound)
            if let start = cursor.hex() { index[start] = number }
        }
        self.index = index
    }

    func block(of range: AddressRange) -> Range<Int>? {
        guard let number = index[range.start] else { return nil }
        var cursor = ByteCursor(text, from: blocks[number].lowerBound, to: blocks[number].upperBound)
        guard cursor.hex() == range.start, cursor.skip(UInt8(ascii: "-")), cursor.hex() == range.end else { return nil }
        return blocks[number]
    }
}
