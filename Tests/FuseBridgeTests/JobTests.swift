import ProcSource
import SystemPackage
import Testing

@testable import FuseBridge

@Suite("Job", .timeLimit(.minutes(1)))
struct JobTests {
    private let jobs = Jobs()
    private let key = Job.Key(operation: .read, thread: nil, number: .handle(HandleNumber(rawValue: 1)))

    private func job(for request: Request, work: @escaping @Sendable (Job) -> Void = { _ in }) -> Job {
        let job = Job(key, request, jobs, work: work)
        request.attach(job)
        return job
    }

    @Test func theResultIsDeliveredAndTheWorkDoneOnce() {
        let (runs, deliveries) = (Count(), Count())
        let job = job(for: request()) { job in
            runs.add()
            if job.finish({ $0.fail(.ioError) }) { deliveries.add() }
        }
        job.run()
        #expect(job.isFinished)
        job.run()
        #expect(runs.value == 1)
        #expect(deliveries.value == 1)
    }

    @Test func whoRepeatsTheRequestTakesTheWorkOver() {
        let (first, second) = (request(), request())
        let job = job(for: first)
        #expect(!job.takeOver(second), "the first still waits")
        first.interrupted()
        #expect(!job.isWanted)
        #expect(jobs.job(key) === job)
        #expect(job.takeOver(second))
        // The first one's interrupt arrives again.
        job.giveUp(first)
        #expect(job.isWanted)
        #expect(job.finish { $0 === second && $0.fail(.ioError) })
        #expect(jobs.job(key) == nil)
        #expect(!job.takeOver(request()), "it is over")
    }

    @Test func aResultThatIsReadyWaitsForWhoComesBack() {
        let (first, second) = (request(), request())
        let job = job(for: first)
        let isDelivered = job.finish { request in
            guard request === first else { return request.fail(.ioError) }
            // The reader stops waiting just now, and asks again.
            first.interrupted()
            #expect(jobs.job(key)?.takeOver(second) == true)
            return first.fail(.ioError)
        }
        #expect(isDelivered)
        #expect(!second.fail(.ioError), "it has its answer")
    }

    @Test func aResultThatNobodyComesForIsNotDelivered() {
        let request = request(of: endedThread)
        let job = job(for: request)
        request.interrupted()
        #expect(job.reader.isInterrupted())
        #expect(!job.finish { $0.fail(.ioError) })
        #expect(job.isFinished)
        #expect(jobs.job(key) == nil)
    }

    @Test func parkedWorkGoesOnWhenTheGateOpens() {
        let gate = Gate()
        let runs = Count()
        let job = job(for: request()) { job in
            runs.add()
            guard runs.value > 1 else { return job.park(at: gate) { $0.run() } }
            _ = job.finish { $0.fail(.ioError) }
        }
        job.run()
        #expect(runs.value == 1)
        #expect(job.isStuck)
        gate.open()
        #expect(runs.value == 2)
        #expect(job.isFinished && !job.isStuck)
    }

    @Test func parkedWorkEndsWithItsReader() {
        let gate = Gate()
        let request = request()
        let job = job(for: request)
        job.park(at: gate) { _ in Issue.record("nobody waits for it") }
        request.interrupted()
        #expect(job.isFinished)
        #expect(jobs.job(key) == nil)
        gate.open()
    }

    @Test func workThatNobodyWaitsForIsNotParked() {
        let gate = Gate()
        let request = request()
        let job = job(for: request)
        request.interrupted()
        job.park(at: gate) { _ in Issue.record("nobody waits for it") }
        #expect(job.isFinished)
        gate.open()
    }

    @Test func workParkedAtAnOpenGateGoesOnAtOnce() {
        let gate = Gate()
        gate.open()
        let resumptions = Count()
        let job = job(for: request())
        job.park(at: gate) { _ in resumptions.add() }
        #expect(resumptions.value == 1)
        #expect(!job.isFinished)
    }

    @Test func abandonedWorkIsAnsweredBySomebodyElseAndNeverResumed() {
        let gate = Gate()
        let request = request()
        let job = job(for: request)
        job.park(at: gate) { _ in Issue.record("it is abandoned") }
        let replies = Count()
        job.abandon { if $0 === request, $0.fail(.resourceTemporarilyUnavailable) { replies.add() } }
        #expect(replies.value == 1)
        #expect(job.isFinished)
        #expect(job.reader.isInterrupted())
        #expect(!job.finish { $0.fail(.ioError) })
        gate.open()
    }
}

@Suite("Hurried", .timeLimit(.minutes(1)))
struct HurriedTests {
    private let hurried = Hurried()
    private let key = Job.Key(operation: .lookup, thread: nil, number: .inode(InodeNumber(rawValue: 1)))

    @Test func whatIsDoneAtOnceIsNotHurried() {
        let job = Job(key, request(), Jobs()) { job in _ = job.finish { $0.fail(.ioError) } }
        hurried.run(job) { _ in Issue.record("it has its answer") }
        #expect(!hurried.hurry())
    }

    @Test func whatIsStuckIsAnsweredByWhatStandsInForIt() {
        let request = request()
        let job = Job(key, request, Jobs()) { job in
            // Opened by a lane, which is stuck whenever it tells to wait.
            job.park(at: Gate()) { _ in }
        }
        let replies = Count()
        hurried.run(job) { if $0 === request, $0.fail(.ioError) { replies.add() } }
        #expect(!hurried.hurry())
        #expect(replies.value == 1)
        #expect(job.isFinished)
    }

    @Test func whatGetsOnIsWaitedFor() {
        let gate = Gate(of: Errand(for: 0) { false })
        let runs = Count()
        let job = Job(key, request(), Jobs()) { job in
            runs.add()
            guard runs.value > 1 else { return job.park(at: gate) { $0.run() } }
            _ = job.finish { $0.fail(.ioError) }
        }
        hurried.run(job) { _ in Issue.record("it is not stuck") }
        #expect(hurried.hurry())
        gate.open()
        #expect(job.isFinished)
        #expect(!hurried.hurry())
    }
}
