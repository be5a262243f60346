import CLinux
import Glibc

/// A POSIX thread.
package struct Thread: Sendable {
    private let handle: ThreadHandle

    /// Starts a detached thread that runs `body` with all signals blocked; false when the system has no room for one.
    @discardableResult
    package static func start(_ body: @escaping @Sendable () -> Void) -> Bool {
        let box = unsafe Unmanaged.passRetained(ThreadBody(run: body))
        var attributes = pthread_attr_t()
        unsafe pthread_attr_init(&attributes)
        defer { unsafe pthread_attr_destroy(&attributes) }
        unsafe pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        unsafe pthread_attr_setstacksize(&attributes, 1 << 20)
        var handle = pthread_t()
        let failure = unsafe pthread_create(
            &handle, &attributes,
            { argument in
                let body = unsafe Unmanaged<ThreadBody>.fromOpaque(argument!).takeRetainedValue()
                body.run()
                return nil
            }, box.toOpaque())
        if failure != 0 { unsafe box.release() }
        return failure == 0
    }

    /// The calling thread.
    package static var current: Thread { Thread(handle: ThreadHandle(pthread: pthread_self())) }

    /// How often the calling thread has slept to wait for something.
    package static var waits: Int { linux_thread_waits() }

    /// Makes a system call of the thread that can wait return EINTR, by SIGUSR1.
    package func interrupt() { pthread_kill(handle.pthread, SIGUSR1) }
}

private final class ThreadBody: Sendable {
    let run: @Sendable () -> Void
    init(run: @escaping @Sendable () -> Void) { self.run = run }
}

private struct ThreadHandle: Sendable {
    let pthread: pthread_t
}

/// A value that threads share, with waiting for a change of it.
///
/// Unlike `Synchronization.Mutex` it has a condition to wait on, and ThreadSanitizer understands it.
@safe package final class Monitor<State>: @unchecked Sendable {
    // Safety: `state` is touched only while `mutex` is held; both C objects live at fixed addresses until deinit.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private var state: State

    package init(_ state: sending State) {
        self.state = state
        unsafe mutex = .allocate(capacity: 1)
        unsafe condition = .allocate(capacity: 1)
        unsafe mutex.initialize(to: pthread_mutex_t())
        unsafe condition.initialize(to: pthread_cond_t())
        unsafe pthread_mutex_init(mutex, nil)
        unsafe pthread_cond_init(condition, nil)
    }

    deinit {
        unsafe pthread_cond_destroy(condition)
        unsafe pthread_mutex_destroy(mutex)
        unsafe condition.deallocate()
        unsafe mutex.deallocate()
    }

    /// Runs `body` alone.
    package func withLock<Result, Failure: Error>(
        _ body: (inout State) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        return try body(&state)
    }

    /// Runs `body` alone and wakes all who wait.
    package func change<Result>(_ body: (inout State) -> Result) -> Result {
        unsafe pthread_mutex_lock(mutex)
        defer {
            unsafe pthread_cond_broadcast(condition)
            unsafe pthread_mutex_unlock(mutex)
        }
        return body(&state)
    }

    /// Waits until `body` returns a value; it is asked anew after each change and at least every `milliseconds`.
    package func wait<Result>(atMost milliseconds: Int = 1000, until body: (inout State) -> Result?) -> Result {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        while true {
            if let result = body(&state) { return result }
            var deadline = timespec()
            unsafe clock_gettime(CLOCK_REALTIME, &deadline)
            deadline.tv_nsec += milliseconds % 1000 * 1_000_000
            deadline.tv_sec += milliseconds / 1000 + deadline.tv_nsec / 1_000_000_000
            deadline.tv_nsec %= 1_000_000_000
            unsafe pthread_cond_timedwait(condition, mutex, &deadline)
        }
    }
}

/// What this process does with signals.
package enum Signals {
    private static let terminating = [SIGINT, SIGTERM, SIGHUP]

    /// Blocks the signals that end the daemon in this thread and those it starts, makes SIGUSR1 interrupt system calls
    /// and SIGPIPE an error of write.
    package static func prepare() {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for signal in terminating { unsafe sigaddset(&set, signal) }
        unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
        ignoreBrokenPipes()
        var action = sigaction()
        unsafe action.__sigaction_handler.sa_handler = { _ in }
        unsafe sigaction(SIGUSR1, &action, nil)
    }

    /// Makes SIGPIPE an error of write.
    package static func ignoreBrokenPipes() { signal(SIGPIPE, SIG_IGN) }

    /// Waits for a signal that ends the daemon; returns its number.
    package static func waitForEnd() -> Int32 {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for signal in terminating { unsafe sigaddset(&set, signal) }
        var number: Int32 = 0
        while unsafe sigwait(&set, &number) != 0 {}
        return number
    }
}
