import CCredentials
import Glibc
import SystemPackage

/// With whose rights a system call is made: what the kernel looks at when it decides about a file of /proc.
package struct Credentials: Hashable, Sendable {
    package var effectiveUser: UInt32
    /// The file system's user and group (fsuid, fsgid).
    package var fileUser: UInt32
    package var fileGroup: UInt32
    /// Supplementary groups; nil where nothing asks for them.
    package var groups: [UInt32]?
    /// Bits of effective capabilities; those this process has not are not taken on.
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

    /// Bits of the capabilities that this process has at this moment.
    package static var permitted: UInt64 { permitted_capabilities() }
    /// Whether this kernel has Landlock, which confines processes in a way nobody can see from outside.
    package static var kernelHasLandlock: Bool { has_landlock() != 0 }

    /// Gives up for good all capabilities but these, and what else serving does not need; before there are threads.
    package static func confine(to capabilities: UInt64) throws(Errno) {
        guard CCredentials.confine(capabilities) == 0 else { throw Errno(rawValue: errno) }
    }

    /// Keeps others of the same user from looking into this process.
    package static func hide() { _ = CCredentials.hide() }
}

/// The system calls that can be made with the rights of somebody else.
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

    /// Makes it as `who` or, if nil, as this process itself, and again while signals interrupt it.
    ///
    /// - Returns: its result, or minus an errno.
    func make(as who: Credentials?, _ a: Int32, _ b: UnsafeRawPointer?, _ c: Int, _ d: Int) -> Int {
        let path = Int(bitPattern: b)
        func untilDone(_ credentials: UnsafePointer<credentials>?) -> Int {
            while true {
                let result = unsafe call_as(credentials, number, Int(a), path, c, d)
                if result != -Int(EINTR) { return result }
            }
        }
        guard let who else { return untilDone(nil) }
        // A list that is empty has an address too: it stands for no groups, not for those of this process.
        return unsafe ((who.groups ?? []) + [0]).withUnsafeBufferPointer { groups in
            var credentials = unsafe credentials(
                effective_user: who.effectiveUser, file_user: who.fileUser, file_group: who.fileGroup,
                capabilities: who.capabilities, groups: who.groups == nil ? nil : groups.baseAddress,
                group_count: UInt32(who.groups?.count ?? 0))
            return unsafe untilDone(&credentials)
        }
    }
}
