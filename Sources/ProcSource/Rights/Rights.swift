import ProcModel
import Syscalls
import SystemPackage

/// With what rights the files of one process are read for one reader.
package struct Rights: Hashable, Sendable {
    /// The reader's; nil for those of this daemon.
    package let credentials: Credentials?
    /// The process is the reader's own.
    let isOwn: Bool
    /// Links of /proc may be read and followed.
    let mayReadLinks: Bool

    /// The rights of this daemon itself.
    package static let daemon = Rights(credentials: nil, isOwn: false, mayReadLinks: true)

    /// The kernel shows a process its own map_files whatever the rights of that directory are; to the thread that works
    /// for it this capability stands for that.
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
    /// The kernel decides, by these rights.
    case asked(Rights)
    /// It is not even asked.
    case refused(Refusal)

    /// - Throws: EACCES when the kernel is not asked.
    package func rights() throws(ProcError) -> Rights {
        switch self {
        case .asked(let rights): return rights
        case .refused: throw .refused(.permissionDenied)
        }
    }
}

/// Why the kernel is not asked: it would decide by what it takes this daemon for, which differs from the reader in a way
/// that credentials do not show.
package enum Refusal: Error, CaseIterable, Hashable, Sendable {
    case unknown, kernelThread, overridden, rootDirectory, pidNamespace, userNamespace, noNewPrivileges, daemon
    case capabilities

    /// In words, for `capabilities` and the log.
    package var reason: String {
        switch self {
        case .unknown: "the reader cannot be seen from the daemon's /proc"
        case .kernelThread: "the reader is a kernel thread"
        case .overridden: "the reader acts with credentials that are not its own"
        case .rootDirectory: "the reader has another root directory"
        case .pidNamespace: "the reader is in another pid namespace, and nsdeny is set"
        case .userNamespace: "the reader is in another user namespace: its own process only"
        case .noNewPrivileges: "the reader has no_new_privs, as under Landlock: its own process only"
        case .daemon: "the daemon itself is shown to full root only"
        case .capabilities: "the reader lacks capabilities that the daemon has"
        }
    }

    /// Why the kernel's answer to the daemon would not be its answer to the reader.
    package var cause: String {
        switch self {
        case .unknown: "whose rights are not known has none"
        case .kernelThread: "it acts for somebody who cannot be told, as nfsd and loop devices do"
        case .overridden: "io_uring, access(2) and overlayfs act with rights that /proc does not show"
        case .rootDirectory: "names of files would be those of the daemon's root directory"
        case .pidNamespace: "wanted by who mounted; else the kernel's answer is the same through an inherited /proc"
        case .userNamespace: "the kernel compares user namespaces too, and capabilities there mean nothing here"
        case .noNewPrivileges: "whoever enters Landlock sets it, and Landlock cannot be seen from outside"
        case .daemon: "the kernel lets every process look at itself, and the daemon is the one that asks"
        case .capabilities: "on a plain user's mount the daemon's rights are used, and may be more"
        }
    }
}
