import Syscalls
import SystemPackage

/// How a mounted /proc hides processes from readers who may not trace them: its mount options hidepid and gid.
///
/// Source: proc(5), has_pid_permissions() and proc_pid_permission() of fs/proc/base.c.
package struct Hiding: Equatable, Sendable {
    /// The mount options, such as `hidepid=invisible,gid=4`.
    package let options: String
    /// Directories of processes can be listed and stat'ed, but not entered (hidepid=1).
    package let showsDirectories: Bool
    /// Nothing is hidden from members of this group; nil if the options name none.
    package let group: UInt32?
    /// The kernel's error for looking into the directory of a hidden process.
    private let errorInside: ProcError

    fileprivate init(_ options: [Substring]) {
        self.options = options.filter { $0.hasPrefix("hidepid=") || $0.hasPrefix("gid=") }.joined(separator: ",")
        showsDirectories = options.contains { ["hidepid=1", "hidepid=noaccess"].contains($0) }
        group = options.first { $0.hasPrefix("gid=") }.flatMap { UInt32($0.dropFirst(4)) }
        let isInvisible = options.contains { ["hidepid=2", "hidepid=invisible"].contains($0) }
        errorInside = isInvisible ? .absent : .refused(.notPermitted)
    }

    /// The error for a reader from whom a process is hidden; nil if they may stat its directory.
    ///
    /// - Parameter inside: whether the reader looks into the directory.
    package func failure(inside: Bool) -> ProcError? { inside ? errorInside : showsDirectories ? nil : .absent }
}

/// The `Hiding` of a /proc. It is read again when mounts have changed, and after each second, since the kernel does not
/// report changes made in another mount namespace or by fsconfig(2).
final class HiddenProcesses: Sendable {
    private struct State {
        var hiding: Hiding?
        /// Monotonic nanoseconds; nil if it was not read yet.
        var readAt: UInt64?
    }

    private let mountinfo: File?
    /// Mount ID, as in mountinfo.
    private let mount: String?
    private let state = Monitor(State())
    /// Nanoseconds after which it is read again.
    private static let longest: UInt64 = 1_000_000_000

    init(of directory: File) {
        mountinfo = try? File.open("/proc/self/mountinfo")
        let facts = try? File.open("/proc/self/fdinfo/\(directory.number)").readAll()
        mount = facts.flatMap { StatusFile($0)["mnt_id"] }
    }

    /// Nil if nothing is hidden.
    var hiding: Hiding? {
        state.withLock { state in
            let now = System.monotonicNanoseconds
            if state.readAt.map({ now - $0 > Self.longest }) ?? true || mountinfo?.hasNews == true {
                state.hiding = read()
                state.readAt = now
            }
            return state.hiding
        }
    }

    private func read() -> Hiding? {
        // If the mount is not found, for example because it is in another namespace, assume that processes are hidden.
        let unknown = Hiding(["hidepid=?"])
        guard let mount, let text = try? mountinfo?.readAll() else { return unknown }
        let line = String(decoding: text, as: UTF8.self).split(separator: "\n").first {
            $0.split(separator: " ").first.map(String.init) == mount
        }
        guard let options = line?.split(separator: " ").last?.split(separator: ",") else { return unknown }
        let hides = options.contains { $0.hasPrefix("hidepid=") && $0 != "hidepid=0" && $0 != "hidepid=off" }
        return hides ? Hiding(options) : nil
    }
}
