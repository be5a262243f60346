import CLinux
import Glibc
import ProcSource
import Syscalls

/// A process that sleeps until it is not needed any more: its memory stays as it is.
final class Sleeper: Sendable {
    let number: Int32

    init() throws {
        var number: pid_t = 0
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addclosefrom_np(&actions, 0)
        // The arguments live as long as the call.
        let failure = unsafe "sleep".withCString { name in
            unsafe "600".withCString { seconds in
                let arguments = unsafe [
                    UnsafeMutablePointer(mutating: name), UnsafeMutablePointer(mutating: seconds), nil,
                ]
                return unsafe posix_spawn(&number, "/bin/sleep", &actions, nil, arguments, [nil])
            }
        }
        self.number = number
        guard failure == 0 else { throw ProcError(.init(rawValue: failure)) }
        while try !File.open("/proc/\(number)/stat").readShort().starts(with: Array("\(number) (sleep) S".utf8)) {
            System.sleep(nanoseconds: 1_000_000)
        }
    }

    deinit {
        kill(number, SIGKILL)
        waitpid(number, nil, 0)
    }
}
