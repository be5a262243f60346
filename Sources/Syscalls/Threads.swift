import CLinux
import Glibc

/// A POSIX thread.
package struct Thread: Sendable {
    private let handle: ThreadHandle

    /// Starts a detached thread that runs `body`; false if the system cannot start one.
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

    /// Thread id of the calling thread.
    package static var number: Int32 { linux_gettid() }

    /// Whether a thread of this process is running or waiting for a CPU (state R), and not sleeping.
    package static func isRunnable(_ number: Int32) -> Bool {
        guard let text = try? File.open("/proc/self/task/\(number)/stat").readNext(4096),
            let name = text.lastIndex(of: UInt8(ascii: ")")), name + 2 < text.count
        else { return false }
        return text[name + 2] == UInt8(ascii: "R")
    }

    /// How often the calling thread has slept to wait for something (voluntary context switches).
    package static var waits: Int { linux_thread_waits() }

    /// Sends SIGUSR1 to the thread, so that a blocking system call in it returns EINTR.
    package func interrupt() { pthread_kill(handle.pthread, SIGUSR1) }
}

/// A value that each thread can have for itself while it runs a closure.
package final class ThreadLocal<Value: AnyObject & Sendable>: Sendable {
    private let key: pthread_key_t

    package init() {
        var key = pthread_key_t()
        unsafe pthread_key_create(&key, nil)
        self.key = key
    }

    /// The value of the calling thread; nil if it has none.
    package var value: Value? {
        unsafe pthread_getspecific(key).map { unsafe Unmanaged<Value>.fromOpaque($0).takeUnretainedValue() }
    }

    /// Runs `body` on the calling thread with this value; afterwards the thread has its former value again.
    package func with<Result, Failure: Error>(
        _ value: Value, _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let outer = unsafe pthread_getspecific(key)
        unsafe pthread_setspecific(key, Unmanaged.passUnretained(value).toOpaque())
        defer {
            unsafe pthread_setspecific(key, outer)
            withExtendedLifetime(value) {}
        }
        return try body()
    }
}

private final class ThreadBody: Sendable {
    let run: @Sendable () -> Void
    init(run: @escaping @Sendable () -> Void) { self.run = run }
}

private struct ThreadHandle: Sendable {
    let pthread: pthread_t
}

/// How this process handles signals.
package enum Signals {
    private static let terminating = [SIGINT, SIGTERM, SIGHUP]

    /// Blocks the signals that end the daemon, in this thread and the threads it starts. Makes SIGUSR1 interrupt system calls,
    /// and turns SIGPIPE into EPIPE from write.
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

    /// Ignores SIGPIPE, so that write returns EPIPE instead.
    package static func ignoreBrokenPipes() { signal(SIGPIPE, SIG_IGN) }

    /// Waits for a signal that ends the daemon, and returns its number.
    package static func waitForEnd() -> Int32 {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for signal in terminating { unsafe sigaddset(&set, signal) }
        var number: Int32 = 0
        while unsafe sigwait(&set, &number) != 0 {}
        return number
    }
}
