import MemoryTree
import Testing

@testable import FuseBridge

@Suite("Roster", .timeLimit(.minutes(1)))
struct RosterTests {
    private var roster = Roster(BusyThreads(most: 8))

    /// A member that waits for requests.
    private mutating func startReceiver() -> Member? {
        guard case .new? = roster.receiver() else { return nil }
        return roster.add()
    }

    @Test mutating func whoTakesTheLastPlaceIsToldThatNobodyElseWaits() {
        #expect(startReceiver() != nil)
        #expect(startReceiver() != nil)
        #expect(roster.waiting == 2)
        #expect(!roster.received(.long, 0).isAlone)
        let second = roster.received(.long, 0)
        #expect(second.isAlone && second.hasRoom && second.canHandOver)
        #expect(roster.requests == 2)
    }

    @Test mutating func twoWaitForRequestsInABurstOne() {
        let member = roster.add()
        #expect(roster.nextOrder(for: member, isBurst: false) == .receive)
        #expect(roster.nextOrder(for: roster.add(), isBurst: true) == nil)
        #expect(roster.nextOrder(for: roster.add(), isBurst: false) == .receive)
        #expect(roster.nextOrder(for: roster.add(), isBurst: false) == nil)
    }

    @Test mutating func aFewStayIdleAndTheOneWhoStoppedLastIsChosenFirst() {
        _ = (startReceiver(), startReceiver())
        let members = (0..<5).map { _ in roster.add() }
        let orders = members.map { roster.nextOrder(for: $0, isBurst: false) }
        #expect(orders == [nil, nil, nil, nil, .end])
        guard case .idle(let chosen)? = roster.receiver() else {
            Issue.record("nobody is chosen")
            return
        }
        #expect(chosen === members[3])
        // An order is on its way to that one.
        #expect(roster.leaveIdle(chosen) == false)
        #expect(roster.leaveIdle(members[0]) == true)
        #expect(roster.takeIdle().map(\.number) == members[1...2].map(\.number))
    }

    @Test mutating func aUserWithEnoughThreadsBusyHasRoomOnlyForWhatWaitsForNothing() {
        _ = (startReceiver(), startReceiver())
        for hasRoom in [true, true, false] {
            #expect(roster.received(.long, 1000).hasRoom == hasRoom)
            roster.waitsAgain()
        }
        #expect(roster.received(.immediate, 1000).hasRoom)
        roster.waitsAgain()
        #expect(roster.received(.long, 0).hasRoom)
        roster.end(for: 1000)
        roster.waitsAgain()
        #expect(roster.received(.long, 1000).hasRoom)
    }

    @Test mutating func theBacklogComesFirstAsLongAsSomebodyWaitsForRequests() {
        let member = roster.add()
        roster.add(.resumed(user: 0, run: {}))
        #expect(roster.nextOrder(for: member, isBurst: false) == .receive)
        #expect(roster.nextOrder(for: roster.add(), isBurst: false) == .backlog)
        #expect(roster.takeWork() != nil)
        #expect(!roster.hasWork)
        #expect(roster.worker() == nil)
    }

    @Test mutating func aRequestThatNobodyCanAnswerNowWaitsForWhoIsBusyOrIsRefused() {
        _ = startReceiver()
        _ = roster.received(.long, 0)
        #expect(roster.postpone(for: 0) == false)
        roster.waitsAgain()
        _ = roster.received(.long, 0)
        roster.waitsAgain()
        _ = roster.received(.long, 0)
        #expect(roster.postpone(for: 0) == true)
    }

    @Test mutating func nobodyIsChosenWhenThereMayBeNoMore() {
        let members = (0..<8).map { _ in roster.add() }
        #expect(roster.receiver() == nil)
        #expect(roster.waiting == 0)
        roster.remove(members[0])
        #expect(roster.receiver() != nil)
    }

    @Test mutating func aThreadThatCannotBeStartedIsWorthAWarningOnceAMinute() {
        let second: UInt64 = 1_000_000_000
        #expect(roster.remove(unstarted: roster.add(), at: 1000 * second) == true)
        #expect(roster.remove(unstarted: roster.add(), at: 1059 * second) == false)
        #expect(roster.remove(unstarted: roster.add(), at: 1058 * second) == false)
        #expect(roster.remove(unstarted: roster.add(), at: 1120 * second) == true)
        #expect(roster.isEmpty)
    }

    @Test mutating func everybodyEndsWhenServiceStops() {
        roster.isStopping = true
        roster.add(.resumed(user: 0, run: {}))
        #expect(roster.nextOrder(for: roster.add(), isBurst: false) == .end)
        #expect(roster.worker() == nil)
    }

    @Test func anOrderIsGivenOnce() {
        let member = Member(number: 1)
        member.give(.backlog)
        #expect(member.nextOrder() == .backlog)
        member.give(.end)
        #expect(member.nextOrder() == .end)
    }
}
