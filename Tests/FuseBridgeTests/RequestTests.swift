import ProcSource
import Syscalls
import SystemPackage
import Testing

@testable import FuseBridge

@Suite("Request", .timeLimit(.minutes(1)))
struct RequestTests {
    @Test func theFirstAnswerWins() {
        let request = request()
        let isFirst = Count()
        #expect(request.pieces([], after: isFirst.add))
        #expect(!request.fail(.ioError))
        #expect(!request.pieces([], after: isFirst.add))
        #expect(isFirst.value == 1)
    }

    @Test func ofManyThreadsOneGivesTheAnswer() {
        let request = request()
        let (wins, ends) = (Count(), Count())
        let mayGo = Monitor(false)
        for _ in 0..<8 {
            Thread.start {
                mayGo.wait { $0 ? () : nil }
                if request.fail(.ioError) { wins.add() }
                ends.add()
            }
        }
        mayGo.change { $0 = true }
        ends.wait(for: 8)
        #expect(wins.value == 1)
    }

    @Test func whoStopsWaitingIsAnsweredAtOnce() {
        let request = request()
        #expect(!request.wasInterrupted)
        request.interrupted()
        #expect(request.wasInterrupted)
        #expect(!request.fail(.ioError))
    }

    @Test func anInterruptAfterTheAnswerChangesNothing() {
        let request = request()
        let jobs = Jobs()
        let key = Job.Key(operation: .read, thread: nil, number: .handle(HandleNumber(rawValue: 1)))
        let job = Job(key, request, jobs) { _ in }
        request.attach(job)
        #expect(request.fail(.ioError))
        request.interrupted()
        #expect(job.isWanted)
        #expect(jobs.job(key) == nil)
    }

    @Test func theWorkIsToldOfAnInterruptThatCameBeforeIt() {
        let request = request()
        request.interrupted()
        let job = Job(
            Job.Key(operation: .read, thread: nil, number: .handle(HandleNumber(rawValue: 1))), request, Jobs()
        ) { _ in }
        request.attach(job)
        #expect(!job.isWanted)
    }

    @Test func eachErrorHasItsErrnoByNameAndByHandle() {
        #expect(ProcError.gone.errno(at: .name) == .noSuchFileOrDirectory)
        #expect(ProcError.gone.errno(at: .handle) == .noSuchProcess)
        #expect(ProcError.absent.errno(at: .handle) == .noSuchFileOrDirectory)
        #expect(ProcError.refused(.permissionDenied).errno(at: .name) == .permissionDenied)
        #expect(ProcError.failed(.tooManyOpenFiles).errno(at: .handle) == .tooManyOpenFiles)
        #expect(ProcError.interrupted.errno(at: .handle) == .interrupted)
        #expect(ProcError.mustWait(Gate()).errno(at: .handle) == .resourceTemporarilyUnavailable)
    }
}

@Suite("Request as it came", .timeLimit(.minutes(1)))
struct RequestBufferTests {
    @Test func theHeaderSaysWhoAsksAndHowLongItMayTake() {
        let read = buffer(Opcode.read, number: 9, user: 1000)
        #expect(read.user == 1000)
        #expect(read.number == RequestNumber(rawValue: 9))
        #expect(read.kind == .long)
        #expect(read.interrupted == nil)
        #expect(buffer(Opcode.lookup).kind == .quick)
        #expect(buffer(Opcode.forget).kind == .immediate)
    }

    @Test func anInterruptNamesTheRequestThatIsGivenUp() {
        let interrupt = buffer(Opcode.interrupt, number: 10, about: 9)
        #expect(interrupt.kind == .immediate)
        #expect(interrupt.interrupted == RequestNumber(rawValue: 9))
        #expect(buffer(Opcode.interrupt).interrupted == nil)
    }
}
