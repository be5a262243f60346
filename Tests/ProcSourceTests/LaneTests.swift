import Syscalls
import SystemPackage
import Testing

@testable import ProcSource

@Suite("Lanes", .timeLimit(.minutes(1)))
struct LaneTests {
    private let lane = Lane(CallsUnderWay()) { false }
    /// How many calls are inside, and whether they may come back.
    private let inside = Monitor((count: 0, mayReturn: false))

    /// A call that does not come back before it may, on a thread of its own.
    private func startCall(in lane: Lane, for user: UInt32 = 0) {
        Thread.start { [inside] in
            Errand(for: user) { false }.run {
                try? lane.call { () throws(Errno) in
                    inside.change { $0.count += 1 }
                    inside.wait { $0.mayReturn ? () : nil }
                }
            }
        }
    }

    private func letReturn() { inside.change { $0.mayReturn = true } }

    private func gate(of lane: Lane) -> Gate {
        while true {
            if let gate = lane.gateIfStuck() { return gate }
        }
    }

    @Test func whatACallReturnsAndFailsWithComesBack() throws {
        #expect(try lane.call { () throws(Errno) in 7 } == 7)
        #expect(throws: ProcError.gone) { try lane.call { () throws(Errno) in throw .noSuchProcess } }
        #expect(!lane.isInUse)
    }

    @Test func aThirdCallIsToldToWaitWhileTwoDoNotComeBack() throws {
        startCall(in: lane)
        startCall(in: lane)
        inside.wait { $0.count == 2 ? () : nil }
        let told = Monitor<Gate?>(nil)
        #expect {
            try Errand(for: 0) { false }.run { try lane.call { () throws(Errno) in } }
        } throws: { error in
            guard case .mustWait(let gate) = error as? ProcError else { return false }
            told.withLock { $0 = gate }
            return true
        }
        let opened = Monitor(false)
        told.withLock { $0 }?.whenOpen { opened.change { $0 = true } }
        #expect(!opened.withLock { $0 })
        letReturn()
        opened.wait { $0 ? () : nil }
        #expect(try lane.call { () throws(Errno) in 1 } == 1)
    }

    @Test func oneCallThatDoesNotComeBackLeavesRoomForAnother() throws {
        startCall(in: lane)
        inside.wait { $0.count == 1 ? () : nil }
        for _ in 0..<100 { try lane.call { () throws(Errno) in } }
        #expect(lane.gateIfStuck() == nil)
        letReturn()
    }

    @Test func whoHasGivenUpDoesNotBeginACall() {
        #expect(throws: ProcError.interrupted) {
            try Errand(for: 0) { true }.run { try lane.call { () throws(Errno) in } }
        }
    }

    @Test func aPlainUserHasAQuarterOfAllCalls() throws {
        let calls = CallsUnderWay()
        for number in 1...8 {
            let lane = Lane(calls) { false }
            startCall(in: lane, for: 1000)
            startCall(in: lane, for: 1000)
            inside.wait { $0.count == 2 * number ? () : nil }
        }
        let another = Lane(calls) { false }
        #expect(throws: ProcError.failed(.resourceTemporarilyUnavailable)) {
            try Errand(for: 1000) { false }.run { try another.call { () throws(Errno) in } }
        }
        #expect(!another.isInUse)
        try Errand(for: 1001) { false }.run { try another.call { () throws(Errno) in } }
        letReturn()
    }

    @Test func whereManyCallsAreUnderWayAProcessThatLooksStuckIsNotAsked() throws {
        let calls = CallsUnderWay()
        for number in 1...24 {
            let lane = Lane(calls) { false }
            startCall(in: lane)
            startCall(in: lane)
            inside.wait { $0.count == 2 * number ? () : nil }
        }
        #expect(throws: ProcError.failed(.resourceTemporarilyUnavailable)) {
            try Lane(calls) { true }.call { () throws(Errno) in }
        }
        try Lane(calls) { false }.call { () throws(Errno) in }
        letReturn()
    }
}

@Suite("Gates", .timeLimit(.minutes(1)))
struct GateTests {
    @Test func whoWaitsIsCalledOnceInOrderAndWhoComesLateAtOnce() {
        let gate = Gate()
        let called = Monitor([Int]())
        for number in 0..<3 { gate.whenOpen { called.withLock { $0.append(number) } } }
        gate.open()
        gate.open()
        gate.whenOpen { called.withLock { $0.append(3) } }
        #expect(called.withLock { $0 } == [0, 1, 2, 3])
    }

    @Test func whoIsForgottenIsNotCalled() {
        let gate = Gate()
        let called = Monitor(0)
        let number = gate.whenOpen { called.withLock { $0 += 1 } }
        gate.whenOpen { called.withLock { $0 += 10 } }
        gate.forget(number)
        gate.open()
        #expect(called.withLock { $0 } == 10)
    }
}

@Suite("Quota")
struct QuotaTests {
    @Test func aPlainUserHasAQuarterAllOfThemThreeQuartersAndRootTheRest() {
        var shares = Quota(most: 16)
        for user in 1...3 as ClosedRange<UInt32> {
            #expect(shares.refusal(of: 5, to: user) == .ownShareIsTaken)
            shares.take(4, for: user)
        }
        #expect(shares.refusal(of: 1, to: 3) == .ownShareIsTaken)
        #expect(shares.refusal(of: 1, to: 4) == .allIsTaken)
        #expect(shares.refusal(of: 4, to: 0) == nil)
        #expect(shares.refusal(of: 5, to: 0) == .allIsTaken)
        shares.giveBack(1, of: 3)
        #expect(shares.refusal(of: 1, to: 4) == nil)
    }
}
