import ProcSource
import Syscalls

/// A value that is being made on a thread of its own, for one long call of the kernel.
final class Pending<Value: Sendable>: Sendable {
    private let result = Monitor<Result<Value, ProcError>?>(nil)

    init(_ make: @escaping @Sendable () throws(ProcError) -> Value) {
        let result = result
        let run: @Sendable () -> Void = {
            let made: Result<Value, ProcError>
            do throws(ProcError) { made = .success(try make()) } catch { made = .failure(error) }
            result.change { $0 = made }
        }
        if !Thread.start(run) { run() }
    }

    /// The value if it is there already.
    func valueIfReady() throws(ProcError) -> Value? { try result.withLock { $0 }?.get() }

    /// Waits for it, unless the reader gives up.
    func value(for reader: Reader) throws(ProcError) -> Value {
        let result: Result<Value, ProcError>? = result.wait(atMost: 5) { result in
            if let result { return .some(result) }
            return reader.isInterrupted() ? .some(nil) : nil
        }
        guard let result else { throw .interrupted }
        return try result.get()
    }
}
