import CCredentials
import Glibc
import SystemPackage

/// The credentials for a system call: all that the kernel looks at when it decides about a file of /proc.
package struct Credentials: Hashable, Sendable {
    package var effectiveUser: UInt32
    /// User and group for access to files (fsuid, fsgid).
    package var fileUser: UInt32
    package var fileGroup: UInt32
    /// Supplementary groups; nil if they do not matter.
    package var groups: [UInt32]?
    /// Bits of effective capabilities. Those that this process does not have are ignored.
    package var capabilities: UInt64

    package init(
        effectiveUser: UInt32, fileUser: UInt32, fileGroup: UInt32, groups: [UInt32]? = nil, capabilities: UInt64
    ) {
        self.effectiveUser = effectiveUser
        self.fileUser = fileUser
        self.fileGroup = fileGroup
        self.groups = groups
        self.capabilities = capabilities
    }

    /// Bits of the permitted capabilities that this process has now.
    package static var permitted: UInt64 { permitted_capabilities() }
    /// Whether this kernel has Landlock, which confines processes in a way that is not visible from outside.
    package static var kernelHasLandlock: Bool { has_landlock() != 0 }

    /// Drops for good all other capabilities, and what else serving does not need. To be called before there are threads.
    package static func confine(to capabilities: UInt64) throws(Errno) {
        guard CCredentials.confine(capabilities) == 0 else { throw Errno(rawValue: errno) }
    }

    /// Keeps other processes of the same user from looking into this process.
    package static func hide() { _ = CCredentials.hide() }
}

/// The system calls that can be made with other credentials.
enum Call: Sendable {
    case open, readLink, status, list

    private var number: Int {
        switch self {
        case .open: CALL_OPENAT
        case .readLink: CALL_READLINKAT
        case .status: CALL_FSTATAT
        case .list: CALL_GETDENTS
        }
    }

    /// Makes the call with the credentials `who`, or with those of this process if nil. Repeats it after EINTR.
    ///
    /// - Returns: the result of the call, or minus the errno.
    func make(as who: Credentials?, _ a: Int32, _ b: UnsafeRawPointer?, _ c: Int, _ d: Int) -> Int {
        let path = Int(bitPattern: b)
        func untilDone(_ credentials: UnsafePointer<credentials>?) -> Int {
            while true {
                let result = unsafe call_as(credentials, number, Int(a), path, c, d)
                if result != -Int(EINTR) { return result }
            }
        }
        guard let who else { return untilDone(nil) }
        // One element is added, so that an empty list has an address too: NULL would mean that groups are not changed.
        return unsafe ((who.groups ?? []) + [0]).withUnsafeBufferPointer { groups in
            var credentials = unsafe credentials(
                effective_user: who.effectiveUser, file_user: who.fileUser, file_group: who.fileGroup,
                capabilities: who.capabilities, groups: who.groups == nil ? nil : groups.baseAddress,
                group_count: UInt32(who.groups?.count ?? 0))
            return unsafe untilDone(&credentials)
        }
    }
}
