import Syscalls

/// How a mounted /proc hides processes (its mount options hidepid and gid); looked at again when mounts have changed.
final class HiddenProcesses: Sendable {
    private struct State {
        var options: String?
        var wasRead = false
    }

    private let mountinfo: File?
    /// Number of the mount; nil hides what the options of an unknown mount would say.
    private let mount: String?
    private let state = Monitor(State())

    init(of directory: File) {
        mountinfo = try? File.open("/proc/self/mountinfo")
        let facts = try? File.open("/proc/self/fdinfo/\(directory.number)").readAll()
        mount = facts.flatMap { StatusFile($0)["mnt_id"] }
    }

    /// Such as `hidepid=invisible,gid=4`; nil when nothing is hidden.
    var options: String? {
        state.withLock { state in
            if !state.wasRead || mountinfo?.hasNews == true {
                state.options = read()
                state.wasRead = true
            }
            return state.options
        }
    }

    private func read() -> String? {
        guard let mount, let text = try? mountinfo?.readAll() else { return "hidepid=?" }
        let line = String(decoding: text, as: UTF8.self).split(separator: "\n").first {
            $0.split(separator: " ").first.map(String.init) == mount
        }
        // A mount of another namespace.
        guard let options = line?.split(separator: " ").last?.split(separator: ",") else { return "hidepid=?" }
        let hides = options.contains { $0.hasPrefix("hidepid=") && $0 != "hidepid=0" && $0 != "hidepid=off" }
        return hides ? options.filter { $0.hasPrefix("hidepid=") || $0.hasPrefix("gid=") }.joined(separator: ",") : nil
    }
}
