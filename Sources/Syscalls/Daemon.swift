import CLinux
import Glibc
import SystemPackage

/// Runs this program in the background.
package enum Daemon {
    /// What the background process writes to `readyDescriptor` when it is ready to serve.
    package static let readyMark: [UInt8] = [0x06]
    package static let readyDescriptor: Int32 = 3

    /// Starts this program again with other arguments, in a new session, with `/` as its directory, /dev/null as its standard
    /// descriptors, and no other descriptor but `readyDescriptor`. Waits until the new process closes that one.
    ///
    /// - Returns: what the new process wrote there: the mark, or why it failed.
    package static func start(arguments: [String]) throws(Errno) -> [UInt8] {
        var ends: (Int32, Int32) = (-1, -1)
        let failure = unsafe withUnsafeMutablePointer(to: &ends) { pair in
            unsafe pair.withMemoryRebound(to: Int32.self, capacity: 2) { unsafe linux_pipe($0) }
        }
        guard failure == 0 else { throw Errno(rawValue: errno) }
        let reading = File(number: ends.0)
        let error = spawn(arguments, writing: ends.1)
        Glibc.close(ends.1)
        guard error == 0 else { throw Errno(rawValue: error) }
        var report: [UInt8] = []
        while true {
            let part = try reading.readNext(4096)
            if part.isEmpty { return report }
            report += part
        }
    }

    private static func spawn(_ arguments: [String], writing end: Int32) -> Int32 {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        // The end of the pipe may have one of the numbers that are replaced: move it to another number first.
        let moved = fcntl(end, F_DUPFD_CLOEXEC, 10)
        defer { close(moved) }
        for number in 0...2 as ClosedRange<Int32> {
            unsafe posix_spawn_file_actions_addopen(&actions, number, "/dev/null", O_RDWR, 0)
        }
        unsafe posix_spawn_file_actions_adddup2(&actions, moved, readyDescriptor)
        unsafe posix_spawn_file_actions_addclosefrom_np(&actions, readyDescriptor + 1)
        unsafe posix_spawn_file_actions_addchdir_np(&actions, "/")

        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        unsafe posix_spawnattr_setflags(&attributes, 0x80 /* POSIX_SPAWN_SETSID */)

        var pointers: [UnsafeMutablePointer<CChar>?] = unsafe arguments.map { unsafe strdup($0) } + [nil]
        defer { for index in unsafe pointers.indices { unsafe free(pointers[index]) } }
        var process = pid_t()
        return unsafe posix_spawn(&process, "/proc/self/exe", &actions, &attributes, &pointers, environ)
    }

    /// Writes to the process that started this one, and closes the descriptor.
    package static func report(_ bytes: [UInt8], to number: Int32) {
        try? System.write(bytes, to: number)
        close(number)
    }

    /// Runs another program and returns its exit status; nil if it cannot be started or is killed by a signal.
    package static func run(_ path: String, _ arguments: [String]) -> Int32? {
        var pointers: [UnsafeMutablePointer<CChar>?] = unsafe ([path] + arguments).map { unsafe strdup($0) } + [nil]
        defer { for index in unsafe pointers.indices { unsafe free(pointers[index]) } }
        var process = pid_t()
        guard unsafe posix_spawnp(&process, path, nil, nil, &pointers, environ) == 0 else { return nil }
        var status: Int32 = 0
        while unsafe waitpid(process, &status, 0) < 0 { if errno != EINTR { return nil } }
        return status & 0x7f == 0 ? status >> 8 & 0xff : nil
    }

    /// syslog(3) with the facility daemon.
    package static func log(_ priority: Int32, _ message: String) {
        unsafe message.withCString { text in
            unsafe withVaList([text]) { unsafe vsyslog(LOG_DAEMON | priority, "%s", $0) }
        }
    }
}
