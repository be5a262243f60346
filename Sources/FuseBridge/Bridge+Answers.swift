import MemoryTree
import ProcSource
import Syscalls

/// Asks the tree, and gives each request one answer.
extension Bridge {
    /// Answers the request with what `make` returns or throws.
    ///
    /// - Parameters:
    ///   - make: asks the tree; may be called again when it had to wait.
    ///   - instead: gives the answer when the work is stuck in a process that does not answer. If it returns nil, the
    ///     answer is EAGAIN. Without it the request waits.
    ///   - deliver: replies with the result; false when the reply was not taken.
    ///   - discard: undoes a result that was not delivered.
    func answer<Value: Sendable>(
        _ request: Request, _ key: Job.Key,
        make: @escaping @Sendable (Reader) throws(ProcError) -> Value,
        instead: (@Sendable (Reader) -> Value?)? = nil,
        deliver: @escaping @Sendable (Request, Value) -> Bool,
        discard: @escaping @Sendable (Value) -> Void = { _ in }
    ) {
        tree.countRequest(key.operation.rawValue)
        if let job = jobs.job(key), tree.isSameReader(job.reader.requester, request.requester),
            job.takeOver(request)
        {
            return
        }
        let job = Job(key, request, jobs) { [self] job in
            while true {
                do throws(ProcError) {
                    let value = try make(job.reader)
                    if !job.finish({ deliver($0, value) }) { discard(value) }
                } catch {
                    if case .mustWait(let gate) = error, instead == nil || !gate.isStuck {
                        return job.park(at: gate) { [self] in resume($0) }
                    }
                    if case .mustWait = error, let value = instead?(job.reader) {
                        _ = job.finish { deliver($0, value) }
                        return
                    }
                    // The reader had stopped waiting, but has asked again since.
                    if error == .interrupted, job.isWanted { continue }
                    report(error, key.operation)
                    _ = job.finish { $0.fail(error.errno(at: key.operation.errorOrigin)) }
                }
                return
            }
        }
        request.attach(job)
        guard let instead else { return job.run() }
        hurried.run(job) { request in
            guard let value = instead(job.reader) else {
                request.fail(.resourceTemporarilyUnavailable)
                return
            }
            _ = deliver(request, value)
        }
    }

    private func resume(_ job: Job) {
        resume.withLock { $0 }?(job.errand.user) { job.run() }
    }

    private func report(_ error: ProcError, _ operation: Operation) {
        guard case .malformed(let cause) = error else { return }
        log.error("\(operation.rawValue): the kernel's \(cause.file) cannot be parsed at byte \(cause.offset)")
    }

    func key(_ operation: Operation, _ request: Request, _ number: Job.Key.Number) -> Job.Key {
        Job.Key(operation: operation, thread: request.requester.thread, number: number)
    }
}
