import ProcModel
import Syscalls
import SystemPackage

/// The directory to mount on, checked before FUSE is asked so that each mistake gets its own line.
struct MountPoint {
    let path: String

    /// - Throws: the one line to print.
    init(_ given: String) throws(Problem) {
        if Self.isDead(given) { try Self.removeDead(given) }
        do { path = try System.absolutePath(given) } catch {
            throw Problem(
                error == .noSuchFileOrDirectory
                    ? "\(given): there is no such directory; make it first: mkdir -p \(given)" : "\(given): \(error)")
        }
        let directory: File
        do { directory = try File.open(path, .directory) } catch {
            throw Problem(
                error == .notDirectory ? "\(given) is not a directory: name an empty one" : "\(given): \(error)")
        }
        if let mount = Self.mounts.last(where: { path == $0.point || path.hasPrefix($0.point + "/") }), mount.isPagefs {
            throw Problem(
                path == mount.point
                    ? "\(given) has a pagefs mounted on it: unmount it first: fusermount3 -u \(given)"
                    : "\(given) is inside a pagefs: name a directory outside of \(mount.point)")
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
            throw Problem("fusermount3 is not installed, without which only root can mount: apt-get install fuse3")
        }
    }

    /// Whether a daemon that is gone has left its mount behind.
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

    /// Of this mount namespace, from /proc/self/mountinfo.
    private static var mounts: [Mount] {
        guard let text = try? File.open("/proc/self/mountinfo").readAll() else { return [] }
        return String(decoding: text, as: UTF8.self).split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ")
            guard fields.count > 6, let dash = fields.firstIndex(of: "-"), dash + 1 < fields.count else { return nil }
            return Mount(point: unescape(fields[4]), isPagefs: fields[dash + 1] == "fuse.pagefs")
        }
    }

    /// Undoes `\040` and its like.
    private static func unescape(_ field: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(field.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\\"), rest.count >= 3,
                let code = UInt8(String(decoding: rest.prefix(3), as: UTF8.self), radix: 8)
            {
                bytes.append(code)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func canRun(_ program: String) -> Bool {
        (System.environment("PATH") ?? "/usr/bin:/bin").split(separator: ":")
            .contains { System.isExecutable("\($0)/\(program)") }
    }
}
