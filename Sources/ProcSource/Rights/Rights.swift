import ProcModel
import Syscalls
import SystemPackage

/// The rights with which the files of one process are read for one reader.
package struct Rights: Hashable, Sendable {
    /// The credentials of the reader; nil for those of this daemon.
    package let credentials: Credentials?
    /// Whether the process is the reader's own.
    let isOwn: Bool
    /// Whether links of /proc may be read and followed.
    let mayReadLinks: Bool

    /// The rights of this daemon itself.
    package static let daemon = Rights(credentials: nil, isOwn: false, mayReadLinks: true)

    /// The credentials for map_files. The kernel shows a process its own map_files whatever the mode of that directory is.
    /// For a thread that works for the process this takes CAP_DAC_READ_SEARCH.
    var forMapFiles: Credentials? {
        guard isOwn, var credentials else { return credentials }
        credentials.capabilities |= CapabilitySet.dacReadSearch.rawValue
        return credentials
    }

    func requireLinks() throws(ProcError) {
        guard mayReadLinks else { throw .refused(.permissionDenied) }
    }
}

/// What a reader may ask the kernel about a process.
package enum AccessDecision: Hashable, Sendable {
    /// The kernel is asked with these rights.
    case asked(Rights)
    /// The kernel is not asked: the answer is no.
    case refused(Refusal)

    /// - Throws: EACCES if it is refused.
    package func rights() throws(ProcError) -> Rights {
        switch self {
        case .asked(let rights): return rights
        case .refused: throw .refused(.permissionDenied)
        }
    }
}

/// Why the kernel is not asked: it would judge this daemon, which differs from the reader in a way that credentials do
/// not show.
package enum Refusal: Error, CaseIterable, Hashable, Sendable {
    case unknown, kernelThread, overridden, rootDirectory, pidNamespace, userNamespace, noNewPrivileges, daemon
    case capabilities

    /// The reason in words, for the file `capabilities` and the log.
    package var reason: String {
        switch self {
        case .unknown: "the reader is not visible in the daemon's /proc"
        case .kernelThread: "the reader is a kernel thread"
        case .overridden: "the reader acts with overridden credentials"
        case .rootDirectory: "the reader has another root directory"
        case .pidNamespace: "the reader is in another pid namespace, and nsdeny is set"
        case .userNamespace: "the reader is in another user namespace and sees only its own process"
        case .noNewPrivileges: "the reader has no_new_privs, as under Landlock, and sees only its own process"
        case .daemon: "only full root may see the daemon itself"
        case .capabilities: "the reader lacks capabilities that the daemon has"
        }
    }

    /// Why the kernel's answer to the daemon could differ from its answer to the reader.
    package var cause: String {
        switch self {
        case .unknown: "a reader whose rights are not known gets none"
        case .kernelThread: "it acts for an unknown user, as nfsd and loop devices do"
        case .overridden: "io_uring, access(2) and overlayfs use rights that /proc does not show"
        case .rootDirectory: "paths would be those in the daemon's root directory"
        case .pidNamespace: "the mount option asks for it; without it the reader sees what an inherited /proc shows"
        case .userNamespace: "the kernel also compares user namespaces, and capabilities of another one do not count"
        case .noNewPrivileges: "a process that enters Landlock sets it, and Landlock is not visible from outside"
        case .daemon: "the kernel lets a process see itself, and here the daemon is the one that asks"
        case .capabilities: "a plain user's mount is read with the daemon's rights, which may be more"
        }
    }
}
