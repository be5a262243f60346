import MemoryTree
import ProcSource
import Testing

private let root: UInt32 = 0

@Suite("HandleQuota")
struct HandleQuotaTests {
    private let quota = HandleQuota(most: .init(handles: 8, bytes: 1 << 20))

    @Test func handlesOfAllAreBounded() throws {
        var open = try (0..<8).map { _ throws(ProcError) in try quota.openHandle(for: root) }
        #expect(throws: ProcError.failed(.tooManyOpenFilesInSystem)) { try quota.openHandle(for: root) }
        #expect(throws: ProcError.failed(.tooManyOpenFilesInSystem)) { try quota.openHandle(for: 1000) }
        open.removeLast()
        open.append(try quota.openHandle(for: 1000))
        #expect(quota.total.handles == 8)
        open = []
        #expect(quota.total == .init())
    }

    @Test func aUserHasAQuarterAndLeavesTheRestToOthers() throws {
        let first = try (0..<2).map { _ throws(ProcError) in try quota.openHandle(for: 1000) }
        #expect(throws: ProcError.failed(.tooManyOpenFiles)) { try quota.openHandle(for: 1000) }
        let second = try (0..<2).map { _ throws(ProcError) in try quota.openHandle(for: 1001) }
        #expect(first.count + second.count == quota.total.handles)
    }

    @Test func bytesAreBoundedForAllAndForEachUser() throws {
        let his = try quota.openHandle(for: 1000)
        var roots = try quota.openHandle(for: root)
        #expect(throws: ProcError.failed(.noMemory)) { try his.take(bytes: 1 << 18) }
        try his.take(bytes: 1 << 17)
        try roots.take(bytes: 3 << 18)
        #expect(throws: ProcError.failed(.noMemory)) { try roots.take(bytes: 1 << 18) }
        roots = try quota.openHandle(for: root)
        try roots.take(bytes: 3 << 18)
    }

    @Test func whatCanBeDoneWithoutLeavesHalfOfTheRoom() throws {
        let his = try quota.openHandle(for: 1000)
        #expect(!his.takeSpare(bytes: 1 << 17))
        #expect(his.takeSpare(bytes: 1 << 16))
        let roots = try quota.openHandle(for: root)
        #expect(!roots.takeSpare(bytes: 1 << 19))
        try roots.take(bytes: 1 << 19)
        #expect(!roots.takeSpare(bytes: 1))
        #expect(quota.total.spare == 1 << 16)
    }

    @Test func whatAHandleHeldIsGivenBackWithIt() throws {
        var handle: Charge? = try quota.openHandle(for: 1000)
        try handle?.take(bytes: 1000)
        #expect(handle?.takeSpare(bytes: 1000) == true)
        #expect(quota.total.bytes > 2000)
        handle = nil
        #expect(quota.total == .init())
    }
}
