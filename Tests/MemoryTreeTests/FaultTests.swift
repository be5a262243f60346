import ProcModel
import ProcSource
import Syscalls
import SystemPackage
import Testing

@testable import MemoryTree

/// Each system call that a question about a process takes fails once: the answer is whole all the same, or the errno says
/// what happened, and no file stays open.
@Suite("Calls that fail", .timeLimit(.minutes(10)))
struct FaultTests {
    @Test("each call fails once", arguments: Question.ofProcess)
    func eachCallFailsOnce(question: Question) throws {
        let stage = try Stage(try Sleeper())
        try stage.failEachCall(of: question)
    }

    @Test("each call fails once for a mapping", arguments: Question.ofMapping)
    func eachCallFailsOnceForAMapping(question: Question) throws {
        let stage = try Stage(try Sleeper())
        try stage.failEachCall(of: question)
    }

    @Test("each call fails once while a table is read as it is made", arguments: Question.ofTables)
    func eachCallFailsOnceForAStream(question: Question) throws {
        let stage = try Stage(try Sleeper())
        // With as much held already no table is frozen.
        let charge = Charge(stage.tree.quota, 0)
        try charge.take(bytes: 2 << 20)
        try withExtendedLifetime(charge) { try stage.failEachCall(of: question) }
    }

    @Test func callsThatAreLateHoldUpTheirProcessOnly() throws {
        let stage = try Stage(try Sleeper())
        let gate = Gate()
        let maps = "\(stage.process)/maps"
        let late = Monitor((begun: 0, answers: [Result<[Substring], ProcError>]()))
        stage.source.plan { call in
            guard call.kind == .open, call.path == maps else { return nil }
            late.change { $0.begun += 1 }
            return .late(gate)
        }
        @Sendable func ask() -> Result<[Substring], ProcError> {
            Errand(for: 0) { false }.run {
                Result { () throws(ProcError) in try stage.answer(Question(kind: .list, path: "vma")) }
            }
        }
        for _ in 0..<2 {
            Thread.start {
                let answer = ask()
                late.change { $0.answers.append(answer) }
            }
        }
        late.wait { $0.begun == 2 ? () : nil }
        guard case .failure(.mustWait(let whenBack)) = ask() else {
            Issue.record("a third call has begun")
            return
        }
        #expect(try !stage.tree.list(stage.folder(of: System.processNumber), for: Stage.reader).isEmpty)
        gate.open()
        whenBack.wait()
        late.wait { $0.answers.count == 2 ? () : nil }
        let whole = try ask().get()
        #expect(whole.count > 1 && late.withLock { $0.answers }.allSatisfy { (try? $0.get()) == whole })
    }
}

/// A tree on a double of /proc, and a process to ask about.
private struct Stage {
    let source: FaultySource
    let tree: Tree
    private let sleeper: Sleeper
    /// A mapping of a file.
    let range, label: String
    let openFiles: Int

    static let reader = Reader(.daemon)
    private static let faults: [FaultySource.Fault] = [
        .fails(.noSuchProcess), .fails(.ioError), .fails(.tooManyOpenFiles), .fails(.interrupted), .short, .gone,
    ]

    init(_ sleeper: Sleeper) throws {
        source = FaultySource(try ProcDirectory(path: "/proc"))
        var options = Tree.Options()
        options.maximumAge = 0
        options.cacheBytes = 0
        tree = try Tree(options, on: source)
        openFiles = source.openFiles
        self.sleeper = sleeper
        let maps = String(decoding: try File.open("/proc/\(sleeper.number)/maps").readAll(), as: UTF8.self)
        let line = try #require(maps.split(separator: "\n").first { $0.contains(" /") })
        range = String(line.prefix { $0 != " " })
        label = String(line.split(separator: "/").last!)
    }

    func failEachCall(of question: Question) throws {
        var whole = try answer(question)
        forgetAll()
        let held = tree.quota.total
        #expect(source.openFiles == openFiles)
        source.heal()
        _ = try answer(question)
        // Of many calls alike, the first two and the last.
        let alike = Dictionary(grouping: source.calls) { "\($0.kind) \($0.path)" }.values
        let numbers = alike.flatMap { Set([$0.first!, $0.prefix(2).last!, $0.last!].map(\.number)) }.sorted()
        forgetAll()
        for fault in Self.faults {
            for number in numbers {
                source.plan { call in call.number == number ? fault : nil }
                var result: Result<[Substring], ProcError>
                do throws(ProcError) { result = .success(try answer(question)) } catch { result = .failure(error) }
                // The kernel says so of a mapping that has gone, and of a process without a program.
                if case .fails(.noSuchProcess) = fault, let path = source.struck?.path,
                    path.contains("/map_files/") || path.hasSuffix("/exe")
                {
                    forgetAll()
                    continue
                }
                let struck = "\(fault) at \(source.struck.map(\.description) ?? "-")"
                if case .success(let answer) = result, answer != whole {
                    // The kernel has changed something meanwhile, or it is not whole.
                    source.heal()
                    whole = try self.answer(question)
                    #expect(answer == whole, "\(struck)")
                }
                if case .failure(let error) = result {
                    #expect(fault.explains(error), "\(struck): \(error)")
                }
                forgetAll()
                try #require(source.openFiles == openFiles && tree.quota.total == held, "\(struck)")
            }
        }
        #expect(try answer(question) == whole)
    }

    /// Lets go all that the tree holds of processes, as if they had ended.
    private func forgetAll() {
        let end = System.monotonicNanoseconds + 10_000_000_000
        repeat {
            source.plan { $0.kind == .status ? .fails(.noSuchFileOrDirectory) : nil }
            _ = tree.processes.letGo()
            source.heal()
        } while source.openFiles != openFiles && System.monotonicNanoseconds < end
    }

    var process: Int32 { sleeper.number }

    /// The folder of a process's mappings.
    func folder(of process: Int32) throws(ProcError) -> Node {
        let node = try tree.lookup(Array(String(process).utf8), in: .root, for: Self.reader)
        return try tree.lookup(Array("vma".utf8), in: node, for: Self.reader)
    }

    /// What of the answer does not change while the process sleeps: the first word of each line, or what is not zero.
    func answer(_ question: Question) throws(ProcError) -> [Substring] {
        var node = try tree.lookup(Array(String(process).utf8), in: .root, for: Self.reader)
        let path = question.path.replacing("RANGE", with: range).replacing("START-END", with: range)
            .replacing("ADDRESS", with: range.prefix { $0 != "-" })
            .replacing("LABEL", with: label)
        for name in path.split(separator: "/") { node = try tree.lookup(Array(name.utf8), in: node, for: Self.reader) }
        switch question.kind {
        case .list: return try tree.list(node, for: Self.reader).map { String(decoding: $0.name, as: UTF8.self)[...] }
        case .target: return [String(decoding: try tree.target(of: node, for: Self.reader), as: UTF8.self)[...]]
        case .attributes:
            let attributes = try tree.attributes(of: node, for: Self.reader)
            return ["\(attributes.size.map(String.init) ?? "-") \(attributes.user) \(attributes.group)"]
        case .read:
            let bytes = try read(node)
            if question.path.contains("raw/") {
                let words = stride(from: 0, to: bytes.count, by: 8)
                return words.filter { bytes[$0..<$0 + 8].contains { $0 != 0 } }.map { "\($0)" }
            }
            let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
            let words = lines.map { $0.prefix { $0 != " " } }
            // Flags of frames, and who else maps them, may change while the process sleeps.
            switch question.path.split(separator: "/").last?.split(separator: "@").first {
            case "ranges": return ["\(words.reduce(0) { $0 + (AddressRange(parsing: Array($1.utf8))?.size ?? 0) })"]
            case "flags": return ["\(lines.reduce(0) { $0 + (Int($1.split(separator: " ")[0]) ?? 0) })"]
            case "mapcounts": return [lines.last?.split(separator: " ")[1] ?? ""]
            case "strip": return words.dropFirst(2).map { $0.map { $0 == "." ? "." : "x" }.joined()[...] }
            default: return words
            }
        }
    }

    private func read(_ node: Node) throws(ProcError) -> [UInt8] {
        let handle = try tree.open(node, for: Self.reader)
        defer { handle.close() }
        var bytes: [UInt8] = []
        while true {
            let pieces: [ArraySlice<UInt8>]
            do throws(ProcError) {
                pieces = try handle.file.read(at: UInt64(bytes.count), count: 65536, Self.reader)
            } catch {
                // Nothing is lost by what passes.
                guard error.isPassing else { throw error }
                continue
            }
            for piece in pieces { bytes += piece }
            handle.file.settle(delivered: true)
            if pieces.isEmpty { return bytes }
        }
    }
}

extension FaultySource.Fault {
    /// Whether a reader may be told this of it.
    fileprivate func explains(_ error: ProcError) -> Bool {
        switch self {
        case .fails(.noSuchProcess), .fails(.noSuchFileOrDirectory), .gone: error == .gone || error == .absent
        case .fails(let errno): error == ProcError(errno)
        case .short: if case .malformed = error { true } else { false }
        case .late: false
        }
    }
}
