import MemoryTree
import ProcModel
import ProcSource
import Syscalls
import Testing

private let reader = Reader(.daemon)

private func key(_ pid: Int32, _ decision: AccessDecision = .asked(.daemon)) -> SnapshotCache.Key {
    .maps(SnapshotCache.SpaceKey(process: ProcessID(pid: PID(rawValue: pid), birth: 1), space: 1, decision: decision))
}

@Suite("Cache", .timeLimit(.minutes(1)))
struct CacheTests {
    private let clock = Monitor(UInt64(1_000_000_000))

    private func cache(age: UInt64 = 1000, budget: Int = 100) -> SnapshotCache {
        SnapshotCache(maximumAge: age, budget: budget) { [clock] in clock.withLock { $0 } }
    }

    private func get(_ cache: SnapshotCache, _ pid: Int32, _ value: Int, bytes: Int = 10) throws -> Int {
        try cache.value(key(pid), for: reader, bytes: { _ in bytes }) { () throws(ProcError) in value }
    }

    @Test func anAnswerIsGivenAgainUntilItIsTooOld() throws {
        let cache = cache()
        #expect(try get(cache, 1, 1) == 1)
        clock.withLock { $0 += 999 }
        #expect(try get(cache, 1, 2) == 1)
        clock.withLock { $0 += 1 }
        #expect(try get(cache, 1, 3) == 3)
        #expect(cache.counters.hits == 1 && cache.counters.misses == 2)
    }

    @Test func readersWithOtherRightsFindNothing() throws {
        let cache = cache()
        let standings: [AccessDecision] = [.asked(.daemon), .refused(.unknown), .refused(.noNewPrivileges)]
        for (number, decision) in standings.enumerated() {
            for _ in 0..<2 {
                let value = try cache.value(key(1, decision), for: reader, bytes: { (_: Int) in 1 }) {
                    () throws(ProcError) in number
                }
                #expect(value == number)
            }
        }
        #expect(cache.counters.hits == 3 && cache.counters.misses == 3)
    }

    @Test func ageCountsFromBeforeTheReading() throws {
        let cache = cache()
        _ = try cache.value(key(1), for: reader, bytes: { (_: Int) in 1 }) { () throws(ProcError) in
            clock.withLock { $0 += 600 }
            return 1
        }
        clock.withLock { $0 += 400 }
        #expect(try get(cache, 1, 2) == 2)
    }

    @Test func ageZeroKeepsNothing() throws {
        let cache = cache(age: 0)
        #expect(try get(cache, 1, 1) == 1)
        #expect(try get(cache, 1, 2) == 2)
        #expect(cache.counters.bytes == 0)
    }

    @Test func theOldestLeaveWhenTheBudgetIsUsedUp() throws {
        let cache = cache()
        for pid in 1...12 as ClosedRange<Int32> {
            clock.withLock { $0 += 1 }
            _ = try get(cache, pid, Int(pid))
        }
        #expect(cache.counters.bytes == 100 && cache.counters.evictions == 2)
        #expect(try get(cache, 12, 0) == 12)
        #expect(try get(cache, 1, 0) == 0)
        #expect(try get(cache, 50, 1, bytes: 101) == 1)
        #expect(try get(cache, 50, 2, bytes: 101) == 2)
    }

    @Test func failuresAreNotKept() throws {
        let cache = cache()
        #expect(throws: ProcError.gone) {
            _ = try cache.value(key(1), for: reader, bytes: { (_: Int) in 1 }) { () throws(ProcError) in throw .gone }
        }
        #expect(try get(cache, 1, 7) == 7)
    }

    @Test func anAnswerThatWillNotDoIsMadeAnew() throws {
        let cache = cache()
        _ = try get(cache, 1, 1)
        let value = try cache.value(
            key(1), for: reader, accept: { (kept: Int) in kept > 1 }, bytes: { _ in 1 }
        ) { () throws(ProcError) in 2 }
        #expect(value == 2)
    }

    @Test func readersOfTheSameThingWaitForOneReading() {
        let cache = cache()
        let begun = Monitor(0)
        let made = Monitor(0)
        let done = Monitor([Int]())
        for _ in 0..<8 {
            Thread.start {
                begun.change { $0 += 1 }
                let value = try? cache.value(key(1), for: reader, bytes: { (_: Int) in 1 }) { () throws(ProcError) in
                    made.withLock { $0 += 1 }
                    begun.wait { $0 == 8 ? () : nil }
                    return 5
                }
                done.change { $0.append(value ?? -1) }
            }
        }
        let values = done.wait { $0.count == 8 ? $0 : nil }
        #expect(values == Array(repeating: 5, count: 8))
        #expect(made.withLock { $0 } == 1)
    }

    @Test func aReaderWhoGivesUpDoesNotWait() {
        let cache = cache()
        let started = Monitor(false)
        let release = Monitor(false)
        Thread.start {
            _ = try? cache.value(key(1), for: reader, bytes: { (_: Int) in 1 }) { () throws(ProcError) in
                started.change { $0 = true }
                release.wait { $0 ? () : nil }
                return 1
            }
        }
        started.wait { $0 ? () : nil }
        #expect(throws: ProcError.interrupted) {
            _ = try cache.value(key(1), for: Reader(.daemon) { true }, bytes: { (_: Int) in 1 }) {
                () throws(ProcError) in 2
            }
        }
        release.change { $0 = true }
    }
}
