import ProcModel
import Syscalls
import SystemPackage

/// Decides with whose rights a request is answered.
///
/// The kernel alone decides who may see what in /proc. So on a shared mount each file is opened with the credentials of
/// the reader. `Rule` lists the few cases in which the kernel would still answer differently than to the reader itself.
/// Nothing that is learned about a reader's rights is used after the request.
package final class Access: Sendable {
    /// Whose rights count.
    package enum Sharing: Sendable {
        /// The daemon's, for all readers. Only root may enter such a mount.
        case none
        /// Each reader's. The daemon is root and takes them on.
        case everybody
        /// The daemon's, for readers of the same user who have all capabilities of the daemon.
        case sameUser
    }

    /// What the kernel cannot know if a thread asks with the credentials of a reader.
    package enum Rule: String, CaseIterable, Sendable {
        /// Capabilities of a reader count only in this daemon's user namespace.
        case capabilities
        /// A reader in another user namespace sees only its own process.
        case userNamespace = "user_namespace"
        /// Only full root sees the daemon itself. The kernel would take the question for one of the daemon about itself.
        case daemon
        /// A reader with no_new_privs, who may be confined by Landlock, sees only its own process.
        case noNewPrivileges = "no_new_privs"
        /// Kernel threads, and readers with overridden credentials, as with io_uring, are refused.
        case overridden
        /// A process always sees itself. This is the only rule that adds rights.
        case itself
        /// A reader with another root directory is refused, since paths in maps would be wrong for them.
        case rootDirectory = "root_directory"
    }

    /// What the mount options say about access.
    package struct Options: Sendable {
        package var sharing = Sharing.none
        /// Other users may use the mount. Has no effect without a mount.
        package var admitsEverybody = false
        /// Refuse readers in other pid namespaces.
        package var deniesPidNamespaces = false
        /// A rule that is not applied. Set only by the tests' program that shows what each rule is for.
        package var without: Rule?

        package init() {}
    }

    /// Capabilities that the daemon keeps while it serves: it needs them to answer readers.
    package static let needed: CapabilitySet = [
        .sysPtrace, .sysAdmin, .perfmon, .setuid, .setgid, .dacReadSearch, .dacOverride,
    ]

    /// Whether this process can take on the rights of readers.
    package static var canServeEverybody: Bool {
        CapabilitySet(rawValue: Credentials.permitted).isSuperset(of: [.setuid, .setgid]) && System.userNumber == 0
    }

    private let options: Options
    private let root: ProcRoot
    private let threads: ThreadFiles
    private let ownNamespace: [UInt8]
    private let ownRoot: File.Identity
    private let ownCapabilities = CapabilitySet(rawValue: Credentials.permitted).intersection(needed)
    private let perfmonSuffices: Bool
    /// Determined before serving, while this process may still make the system call.
    private let kernelHasLandlock: Bool
    private let reported = Monitor(Set<Refusal>())
    private let report: @Sendable (Refusal) -> Void

    /// - Parameters:
    ///   - root: the processes that are shown. Readers themselves are always looked up in /proc.
    ///   - onFirst: called when files begin to be held open, so that `letGo` is called later.
    ///   - report: called once for each kind of refusal.
    package init(
        _ options: Options, _ root: ProcRoot, onFirst: @escaping @Sendable () -> Void,
        report: @escaping @Sendable (Refusal) -> Void
    ) throws(ProcError) {
        self.options = options
        self.root = root
        self.report = report
        let own: [UInt8]
        (threads, ownNamespace, ownRoot, own) = try ProcError.wrap { () throws(Errno) in
            let proc = try File.open("/proc", .directory)
            return (
                ThreadFiles(proc, onFirst: onFirst), try proc.readLink("self/ns/user"),
                try proc.identityAtHand("self/root"),
                try proc.readLink("self")
            )
        }
        // In a /proc of another pid namespace the thread ids of requests are wrong.
        guard options.sharing == .none || own == Array("\(PID.own)".utf8) else {
            throw .failed(.notSupported)
        }
        kernelHasLandlock = Credentials.kernelHasLandlock
        perfmonSuffices = options.sharing == .everybody && root.perfmonSuffices
    }

    /// Closes the files of threads that have not made requests recently; returns whether none are open any more.
    @Sendable package func letGo() -> Bool { threads.letGo() }

    /// Whether readers are told apart.
    package var tellsReadersApart: Bool { options.sharing != .none }

    /// Whether two requests of the same thread have the same rights.
    package func isSameReader(_ first: Requester, _ second: Requester) -> Bool {
        first.user == second.user && first.group == second.group && decision(of: first) == decision(of: second)
    }

    /// What the reader may ask about a process, or if `process` is nil, about no process in particular.
    package func decision(of requester: Requester, to process: ProcessID? = nil) -> AccessDecision {
        guard options.sharing != .none else { return .asked(.daemon) }
        let decision: AccessDecision
        switch requester.caller({ caller(requester) }) {
        case .failure(let refusal): decision = .refused(refusal)
        case .success(let caller): decision = self.decision(of: caller, to: process)
        }
        // Without a process nothing is refused yet, so nothing is reported.
        if case .refused(let refusal) = decision, process != nil,
            reported.withLock({ $0.insert(refusal).inserted })
        {
            report(refusal)
        }
        return decision
    }

    private func applies(_ rule: Rule) -> Bool { options.without != rule }

    /// The reader's rights, as /proc shows them now.
    private func caller(_ requester: Requester) -> Result<Caller, Refusal> {
        guard let thread = requester.thread, let (text, namespace, root) = threads.read(thread),
            let status = try? ThreadStatus(parsing: text)
        else { return .failure(.unknown) }
        if applies(.overridden) {
            guard !status.isKernelThread else { return .failure(.kernelThread) }
            guard status.fileUser == requester.user, status.fileGroup == requester.group else {
                return .failure(.overridden)
            }
        }
        guard !applies(.rootDirectory) || root == ownRoot else {
            return .failure(.rootDirectory)
        }
        guard !options.deniesPidNamespaces || status.pidNamespaces == 1 else { return .failure(.pidNamespace) }
        let shares = namespace == ownNamespace
        return .success(
            Caller(
                status: status, sharesUserNamespace: shares,
                capabilities: shares || !applies(.capabilities) ? status.capabilities : []))
    }

    private func decision(of caller: Caller, to process: ProcessID?) -> AccessDecision {
        let status = caller.status
        let isFullRoot =
            caller.sharesUserNamespace && status.effectiveUser == 0 && status.fileUser == 0 && status.fileGroup == 0
            && caller.capabilities.isSuperset(of: ownCapabilities)
        // The pid may have been reused: then the pinned process has ended, and nothing can be read through it.
        let isOwn = process?.pid == status.process && root.sharesNumbers
        var mayReadLinks = true
        if !isOwn {
            if applies(.userNamespace), !caller.sharesUserNamespace { return .refused(.userNamespace) }
            if applies(.noNewPrivileges), status.hasNoNewPrivileges, kernelHasLandlock {
                // To readers with these capabilities the kernel opens page tables in any case, but it shows no links.
                guard perfmonSuffices, !caller.capabilities.isDisjoint(with: [.perfmon, .sysAdmin]) else {
                    return .refused(.noNewPrivileges)
                }
                mayReadLinks = false
            }
            if applies(.daemon), let process, process.pid == root.ownNumber, !isFullRoot { return .refused(.daemon) }
        }
        guard options.sharing == .everybody else {
            return caller.capabilities.isSuperset(of: ownCapabilities)
                ? .asked(.daemon) : .refused(.capabilities)
        }
        guard !isFullRoot else { return .asked(Rights(credentials: nil, isOwn: isOwn, mayReadLinks: mayReadLinks)) }
        var capabilities = caller.capabilities
        if isOwn, applies(.itself) { capabilities.insert(.sysPtrace) }
        let credentials = Credentials(
            effectiveUser: status.effectiveUser, fileUser: status.fileUser, fileGroup: status.fileGroup,
            groups: root.asksForGroups ? status.groups : nil, capabilities: capabilities.rawValue)
        return .asked(
            Rights(credentials: credentials, isOwn: isOwn && applies(.itself), mayReadLinks: mayReadLinks))
    }
}

extension ProcRoot {
    /// Whether CAP_PERFMON opens the page tables of any process, as since 6.15. It is tried on a process that other users
    /// may not look at; false if there is none.
    fileprivate var perfmonSuffices: Bool {
        var nobody = Credentials(effectiveUser: 65534, fileUser: 65534, fileGroup: 65534, capabilities: 0)
        for pid in (try? processes()) ?? [] where pid != ownNumber {
            // A process that is stuck in an exec would not answer.
            guard let process = try? pin(pid), (try? process.status())?["State"]?.hasPrefix("D") == false else {
                continue
            }
            nobody.capabilities = 0
            guard (try? directory.open("\(pid)/maps", .read, as: nobody)) == nil else { continue }
            nobody.capabilities = CapabilitySet.perfmon.rawValue
            if (try? directory.open("\(pid)/maps", .read, as: nobody)) != nil { return true }
        }
        return false
    }
}
