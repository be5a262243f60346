import Syscalls
import SystemPackage

/// How a mounted /proc hides processes from those who may not trace them: its mount options hidepid and gid.
///
/// Source: proc(5), has_pid_permissions() and proc_pid_permission() of fs/proc/base.c.
package struct Hiding: Equatable, Sendable {
    /// Such as `hidepid=invisible,gid=4`.
    package let options: String
    /// Directories are listed and may be stat'ed, but not entered (hidepid=1).
    package let showsDirectories: Bool
    /// Whose members nothing is hidden from; nil where the options name none.
    package let group: UInt32?
    /// What the kernel says to those who look into a directory nevertheless.
    private let errorInside: ProcError

    fileprivate init(_ options: [Substring]) {
        self.options = options.filter { $0.hasPrefix("hidepid=") || $0.hasPrefix("gid=") }.joined(separator: ",")
        showsDirectories = options.contains { ["hidepid=1", "hidepid=noaccess"].contains($0) }
        group = options.first { $0.hasPrefix("gid=") }.flatMap { UInt32($0.dropFirst(4)) }
        let isInvisible = options.contains { ["hidepid=2", "hidepid=invisible"].contains($0) }
        errorInside = isInvisible ? .absent : .refused(.notPermitted)
    }

    /// What somebody is told of a process that is hidden from him; nil where it is not.
    ///
    /// - Parameter inside: looks into its directory.
    package func failure(inside: Bool) -> ProcError? { inside ? errorInside : showsDirectories ? nil : .absent }
}

/// The `Hiding` of a /proc, looked at again when mounts have changed, and each second: the kernel tells no change that was
/// made in another mount namespace, or by fsconfig(2).
final class HiddenProcesses: Sendable {
    private struct State {
        var hiding: Hiding?
        /// nil before it was read.
        var readAt: UInt64?
    }

    private let mountinfo: File?
    /// Number of the mount.
    private let mount: String?
    private let state = Monitor(State())
    /// Nanoseconds for which what was read is believed.
    private static let longest: UInt64 = 1_000_000_000

    init(of directory: File) {
        mountinfo = try? File.open("/proc/self/mountinfo")
        let facts = try? File.open("/proc/self/fdinfo/\(directory.number)").readAll()
        mount = facts.flatMap { StatusFile($0)["mnt_id"] }
    }

    /// nil when nothing is hidden.
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
        // Of a mount that is not found, as one of another namespace, the worst is assumed.
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
