import MemoryTree
import Testing

@testable import FuseBridge

@Suite("Backlog", .timeLimit(.minutes(1)))
struct BacklogTests {
    private var backlog = Backlog()
    /// Of eight threads a plain user may keep two busy.
    private var threads = BusyThreads(most: 8)

    private mutating func takeNumber() -> UInt64? {
        guard case .request(let buffer)? = backlog.take(&threads) else { return nil }
        return buffer.number.rawValue
    }

    @Test mutating func workIsTakenInTheOrderInWhichItCame() {
        for number in 1...3 as ClosedRange<UInt64> { backlog.add(.request(buffer(Opcode.read, number: number))) }
        #expect([takeNumber(), takeNumber(), takeNumber(), takeNumber()] == [1, 2, 3, nil])
        #expect(threads.total == 3)
    }

    @Test mutating func aUserWhoHasEnoughThreadsBusyIsPassedOver() {
        for number in 1...3 as ClosedRange<UInt64> {
            backlog.add(.request(buffer(Opcode.read, number: number, user: 1000)))
        }
        backlog.add(.request(buffer(Opcode.read, number: 4, user: 1001)))
        #expect([takeNumber(), takeNumber(), takeNumber()] == [1, 2, 4])
        #expect(!backlog.hasWork(threads))
        #expect(takeNumber() == nil)
        threads.end(for: 1000)
        #expect(backlog.hasWork(threads))
        #expect(takeNumber() == 3)
    }

    @Test mutating func nothingIsTakenWhileAllThreadsAreBusy() {
        for _ in 0..<8 { threads.begin(for: 0) }
        let isDone = Count()
        backlog.add(.resumed(user: 0, run: isDone.add))
        #expect(backlog.take(&threads) == nil)
        threads.end(for: 0)
        guard case .resumed(0, let run)? = backlog.take(&threads) else {
            Issue.record("the work is lost")
            return
        }
        run()
        #expect(isDone.value == 1)
    }

    @Test mutating func aRequestIsTakenOutByItsNumberAndBusiesNobody() {
        backlog.add(.resumed(user: 0, run: {}))
        for number in [5, 6] as [UInt64] { backlog.add(.request(buffer(Opcode.read, number: number))) }
        #expect(backlog.take(request: RequestNumber(rawValue: 7)) == nil)
        #expect(backlog.take(request: RequestNumber(rawValue: 6))?.number.rawValue == 6)
        #expect(backlog.take(request: RequestNumber(rawValue: 6)) == nil)
        #expect(threads.total == 0)
    }
}
