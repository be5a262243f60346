import ProcModel
import ProcSource
import Syscalls
import SystemPackage

/// The directory to mount on. It is checked before FUSE is called, so that each mistake gets its own message.
struct MountPoint {
    let path: String

    /// - Throws: the one line to print.
    init(_ given: String) throws(Problem) {
        if Self.isDead(given) { try Self.removeDead(given) }
        do { path = try System.absolutePath(given) } catch {
            throw Problem(
                error == .noSuchFileOrDirectory
                    ? "\(given): no such directory; make it first: mkdir -p \(given)" : "\(given): \(error)")
        }
        let directory: File
        do { directory = try File.open(path, .directory) } catch {
            throw Problem(
                error == .notDirectory ? "\(given) is not a directory: name an empty directory" : "\(given): \(error)")
        }
        if let mount = Self.mounts.last(where: { path == $0.point || path.hasPrefix($0.point + "/") }), mount.isPagefs {
            throw Problem(
                path == mount.point
                    ? "\(given) already has a pagefs mounted on it: unmount it first: fusermount3 -u \(given)"
                    : "\(given) is inside a mounted pagefs: name a directory outside of \(mount.point)")
        }
        guard (try? directory.list().isEmpty) == true else {
            throw Problem("\(given) is not empty: name an empty directory")
        }
        guard System.exists("/dev/fuse") else {
            throw Problem(
                "there is no /dev/fuse: load the module (modprobe fuse), or use pagefs cat, ls and tree without mounting"
            )
        }
        if System.userNumber != 0, !Self.canRun("fusermount3") {
            throw Problem("fusermount3 is not installed; without it only root can mount: apt-get install fuse3")
        }
    }

    /// Whether the path is a dead mount: one whose daemon has ended.
    private static func isDead(_ path: String) -> Bool {
        do { _ = try File.open(path, .directory) } catch { return error == .socketNotConnected }
        return false
    }

    private static func removeDead(_ path: String) throws(Problem) {
        let point = path.hasPrefix("/") ? path : (System.workingDirectory + "/" + path)
        let normal = point.split(separator: "/").filter { $0 != "." }.reduce("") { $0 + "/" + $1 }
        guard mounts.contains(where: { $0.point == normal && $0.isPagefs }) else {
            throw Problem("\(path) is a dead mount of another filesystem: unmount it first: umount -l \(path)")
        }
        if System.userNumber == 0 {
            do { try System.detach(normal) } catch {
                throw Problem("\(path): the dead mount cannot be removed: \(error)")
            }
        } else if Daemon.run("fusermount3", ["-u", "-z", normal]) != 0 {
            throw Problem("\(path): the dead mount cannot be removed: try fusermount3 -u -z \(path)")
        }
    }

    private struct Mount {
        let point: String
        let isPagefs: Bool
    }

    /// The mounts of this mount namespace, from /proc/self/mountinfo.
    private static var mounts: [Mount] {
        guard let text = try? File.open("/proc/self/mountinfo").readAll() else { return [] }
        return String(decoding: text, as: UTF8.self).split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ")
            guard fields.count > 6, let dash = fields.firstIndex(of: "-"), dash + 1 < fields.count else { return nil }
            let point = String(decoding: FileSystems.unescaped(Array(fields[4].utf8)[...]), as: UTF8.self)
            return Mount(point: point, isPagefs: fields[dash + 1] == "fuse.pagefs")
        }
    }

    private static func canRun(_ program: String) -> Bool {
        (System.environment("PATH") ?? "/usr/bin:/bin").split(separator: ":")
            .contains { System.isExecutable("\($0)/\(program)") }
    }
}
