import ProcModel
import Syscalls
import SystemPackage

/// The filesystems that a process has mounted. It tells which of them must not be asked because their server may never
/// answer. A thread that waits for a request that the server has taken cannot even be killed.
///
/// Source: /proc/PID/mountinfo. The kernel writes it without asking a server.
package struct FileSystems: Sendable {
    private struct Mount: Sendable {
        let device: Device
        let point: [UInt8]
        let isLocal: Bool
    }

    private struct Device: Hashable, Sendable {
        let major, minor: UInt32
    }

    private let mounts: [Mount]

    /// The filesystems in the process's mount namespace; none if the kernel does not show them.
    package init(of process: PinnedProcess) throws(ProcError) {
        var text: [UInt8] = []
        do throws(ProcError) {
            let file = try process.openAtHand("mountinfo")
            text = try ProcError.wrap { () throws(Errno) in try file.readAll() }
        } catch { try error.throwIfUnanswered() }
        mounts = text.split(separator: 0x0a).compactMap { line in
            // 36 35 98:0 /root /point options - type source
            let fields = line.split(separator: 0x20)
            guard let dash = fields.firstIndex(where: { $0.elementsEqual("-".utf8) }), dash > 5, dash + 1 < fields.count
            else { return nil }
            var device = ByteCursor(Array(fields[2]))
            guard let major = device.decimal(), device.skip(UInt8(ascii: ":")), let minor = device.decimal(),
                let major = UInt32(exactly: major), let minor = UInt32(exactly: minor)
            else { return nil }
            return Mount(
                device: Device(major: major, minor: minor), point: Self.unescaped(fields[4]),
                isLocal: Self.isLocal(fields[dash + 1]))
        }
    }

    /// Whether the mapped file may be asked for its attributes. Not if its device is mounted nowhere, since any kind of
    /// filesystem may have been there; except for the kernel's own devices, such as that of memfd.
    package func answers(for vma: VMA) -> Bool {
        let device = Device(major: vma.deviceMajor, minor: vma.deviceMinor)
        let own = mounts.filter { $0.device == device }
        return own.isEmpty ? Self.internalDevices.contains(device) : own.allSatisfy(\.isLocal)
    }

    /// Whether the lookup of a path from the root directory touches only local filesystems.
    package func answers(forPath path: [UInt8]) -> Bool {
        !mounts.isEmpty
            && mounts.allSatisfy { mount in
                mount.isLocal
                    || !(path.starts(with: mount.point)
                        && (mount.point.last == UInt8(ascii: "/") || path.count == mount.point.count
                            || path[mount.point.count] == UInt8(ascii: "/")))
            }
    }

    /// Types of local filesystems. Any other type, such as fuse, nfs, cifs, 9p or an unknown one, may have to ask a server.
    private static let localTypes: Set<String> = [
        "bcachefs", "btrfs", "cramfs", "devpts", "devtmpfs", "ecryptfs", "efivarfs", "erofs", "exfat", "ext2", "ext3",
        "ext4", "f2fs", "hugetlbfs", "iso9660", "jffs2", "jfs", "minix", "nilfs2", "ntfs3", "overlay", "proc", "pstore",
        "ramfs", "reiserfs", "rootfs", "squashfs", "sysfs", "tmpfs", "tracefs", "ubifs", "udf", "vfat", "xfs", "zfs",
        "zonefs",
    ]

    private static func isLocal(_ type: ArraySlice<UInt8>) -> Bool {
        localTypes.contains(String(decoding: type, as: UTF8.self))
    }

    /// Devices of the kernel's own filesystems for shared and huge memory, which are mounted nowhere.
    private static let internalDevices = Set(
        MemoryFile.devices.map { Device(major: $0.major, minor: $0.minor) })

    /// Determines the internal devices. To be called before `Credentials.confine`, which forbids the system calls for it.
    package static func prepare() { _ = internalDevices }

    /// A path as in mountinfo, with escapes such as `\040` for a blank decoded.
    package static func unescaped(_ field: ArraySlice<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = field
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\\"), let code = UInt8(String(decoding: rest.prefix(3), as: UTF8.self), radix: 8) {
                bytes.append(code)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return bytes
    }
}
