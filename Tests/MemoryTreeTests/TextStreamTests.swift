import ProcModel
import ProcSource
import Syscalls
import Testing

@testable import MemoryTree

private let reader = Reader(.daemon)

@Suite("Streams", .timeLimit(.minutes(1)))
struct TextStreamTests {
    /// A stream of these pieces, each made or failed once.
    private func stream(_ steps: [Result<[UInt8], ProcError>]) -> TextStream {
        let next = Monitor(0)
        return TextStream(header: Array("header\n".utf8)) { _ throws(ProcError) in
            let index = next.withLock { index in
                defer { index += 1 }
                return index
            }
            return index < steps.count ? try steps[index].get() : nil
        }
    }

    private func text(_ stream: TextStream, at offset: UInt64, count: Int = 100, delivered: Bool = true) throws
        -> String
    {
        let bytes = try stream.read(at: offset, count: count, reader).flatMap { $0 }
        stream.settle(delivered: delivered)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func manyEmptyPiecesAreNotTheEnd() throws {
        let empty = [Result<[UInt8], ProcError>](repeating: .success([]), count: 1000)
        let stream = stream(empty + [.success(Array("row\n".utf8))] + empty)
        #expect(try text(stream, at: 0, count: 7) == "header\n")
        #expect(try text(stream, at: 7) == "row\n")
        #expect(try text(stream, at: 11) == "")
    }

    @Test func anAnswerThatDoesNotArriveIsGivenAgain() throws {
        let stream = stream([.success(Array("one\n".utf8)), .success(Array("two\n".utf8))])
        #expect(try text(stream, at: 0, count: 9, delivered: false) == "header\non")
        #expect(try text(stream, at: 0, count: 9) == "header\non")
        #expect(try text(stream, at: 9, delivered: false) == "e\ntwo\n")
        #expect(try text(stream, at: 9) == "e\ntwo\n")
    }

    @Test func aFailureThatPassesLosesNothing() throws {
        let stream = stream([.failure(.interrupted), .success(Array("one\n".utf8)), .failure(.interrupted)])
        #expect(try text(stream, at: 0) == "header\n")
        #expect(try text(stream, at: 7) == "one\n")
        #expect(try text(stream, at: 11) == "")
    }

    @Test func rowsComeBeforeTheFailureThatEndsThem() throws {
        let stream = stream([.success(Array("one\n".utf8)), .failure(.gone)])
        #expect(try text(stream, at: 0) == "header\none\n")
        for _ in 0..<2 {
            #expect(throws: ProcError.gone) { try stream.read(at: 11, count: 100, reader) }
        }
    }

    @Test func aSecondReaderIsToldToWaitUntilTheFirstIsDone() throws {
        let stream = stream([])
        _ = try stream.read(at: 0, count: 3, reader)
        let told = Monitor<Gate?>(nil)
        #expect {
            try stream.read(at: 0, count: 3, reader)
        } throws: { error in
            guard case .mustWait(let gate) = error as? ProcError else { return false }
            told.withLock { $0 = gate }
            return true
        }
        stream.settle(delivered: true)
        told.withLock { $0 }?.wait()
        #expect(try text(stream, at: 3) == "der\n")
        #expect(throws: ProcError.failed(.illegalSeek)) { try stream.read(at: 3, count: 3, reader) }
    }
}

@Suite("Numbers of address spaces", .timeLimit(.minutes(1)))
struct SeenProcessesTests {
    private func memory(_ pid: PID, _ processes: SeenProcesses) throws -> ProcessMemory {
        let process = try processes.process(pid)
        return try ProcessMemory(process, try #require(try process.memoryThread()), as: .daemon)
    }

    @Test func aNumberIsTheSameAlsoWhenTheProcessWasForgottenMeanwhile() throws {
        let root = ProcRoot(try ProcDirectory(path: "/proc"))
        let processes = SeenProcesses(root, most: 1) {}
        let own = PID.own
        let number = try processes.space(of: try memory(own, processes))
        #expect(number != 0)
        #expect(try processes.space(of: try memory(own, processes)) == number)
        // There is room for one.
        for other in try root.processes() where other != own { _ = try? processes.process(other) }
        #expect(try processes.lastSpace(of: try processes.process(own).id) == nil)
        #expect(try processes.space(of: try memory(own, processes)) == number)
    }
}
