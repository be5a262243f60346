import ProcModel
import Syscalls
import SystemPackage

/// Decides with whose rights a request is answered.
///
/// The kernel's /proc is the only judge of who may see what. On a shared mount each file is therefore opened with the
/// credentials of the reader, and `Rule` lists the few cases in which the kernel, asked so, would say yes to this daemon where it
/// says no to the reader, or the other way round. Nothing that is found out about a reader outlives the request.
package final class Access: Sendable {
    /// Whose rights count.
    package enum Sharing: Sendable {
        /// The daemon's: the kernel lets in only those who have them all.
        case none
        /// Each reader's: the daemon is root and takes them on.
        case everybody
        /// The daemon's, for those of the same user who lack nothing that the daemon has.
        case sameUser
    }

    /// What the kernel cannot know when it is asked by a thread that has taken on credentials.
    package enum Rule: String, CaseIterable, Sendable {
        /// Capabilities count only from this daemon's user namespace.
        case capabilities
        /// A reader in another user namespace sees only its own process.
        case userNamespace = "user_namespace"
        /// The daemon is shown to full root only: it would be asked about itself.
        case daemon
        /// A reader with no_new_privs, who may be confined by Landlock, sees only its own process.
        case noNewPrivileges = "no_new_privs"
        /// Overridden credentials, as io_uring's, and kernel threads are refused.
        case overridden
        /// Upwards: a process always sees itself.
        case itself
        /// Paths in maps would be those of another root directory.
        case rootDirectory = "root_directory"
    }

    /// What the mount options say about access.
    package struct Options: Sendable {
        package var sharing = Sharing.none
        /// Other users are to be let in. Means nothing without a mount.
        package var admitsEverybody = false
        /// Refuse readers in other pid namespaces.
        package var deniesPidNamespaces = false
        /// A rule that is left out. Only the program of the tests that see what a rule is for sets it.
        package var without: Rule?

        package init() {}
    }

    /// Capabilities that the daemon keeps once it serves: answering readers takes them.
    package static let needed: CapabilitySet = [
        .sysPtrace, .sysAdmin, .perfmon, .setuid, .setgid, .dacReadSearch, .dacOverride,
    ]

    /// Whether this process may act with the rights of readers.
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
    /// Asked before serving, when this process may still ask.
    private let kernelHasLandlock: Bool
    private let reported = Monitor(Set<Refusal>())
    private let report: @Sendable (Refusal) -> Void

    /// - Parameters:
    ///   - root: whose processes are shown; who asks is always looked up in /proc.
    ///   - onFirst: called whenever there is something to let go again.
    ///   - report: told of each kind of refusal once.
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
        // Thread ids of requests mean nothing in a /proc of another pid namespace.
        guard options.sharing == .none || own == Array("\(PID.own)".utf8) else {
            throw .failed(.notSupported)
        }
        kernelHasLandlock = Credentials.kernelHasLandlock
        perfmonSuffices = options.sharing == .everybody && root.perfmonSuffices
    }

    /// Lets go what is held of threads that have not asked recently; returns whether nothing is held any more.
    @Sendable package func letGo() -> Bool { threads.letGo() }

    /// Whether readers are told apart.
    package var tellsReadersApart: Bool { options.sharing != .none }

    /// Whether two requests of one thread come with the same rights.
    package func isSameReader(_ first: Requester, _ second: Requester) -> Bool {
        first.user == second.user && first.group == second.group && decision(of: first) == decision(of: second)
    }

    /// What the reader may ask about a process, or about none in particular.
    package func decision(of requester: Requester, to process: ProcessID? = nil) -> AccessDecision {
        guard options.sharing != .none else { return .asked(.daemon) }
        let decision: AccessDecision
        switch requester.caller({ caller(requester) }) {
        case .failure(let refusal): decision = .refused(refusal)
        case .success(let caller): decision = self.decision(of: caller, to: process)
        }
        // Asked about no process, a reader is refused nothing yet.
        if case .refused(let refusal) = decision, process != nil,
            reported.withLock({ $0.insert(refusal).inserted })
        {
            report(refusal)
        }
        return decision
    }

    private func applies(_ rule: Rule) -> Bool { options.without != rule }

    /// Who asks, as /proc shows him now.
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
        // A pinned process of that number that is not the reader's has ended, and nothing is read through it.
        let isOwn = process?.pid == status.process && root.sharesNumbers
        var mayReadLinks = true
        if !isOwn {
            if applies(.userNamespace), !caller.sharesUserNamespace { return .refused(.userNamespace) }
            if applies(.noNewPrivileges), status.hasNoNewPrivileges, kernelHasLandlock {
                // The kernel opens page tables, but no link, to these whatever else holds.
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
    /// Whether CAP_PERFMON opens page tables of any process, as since 6.15. Found out by trying it on some process that
    /// is closed to others; false where none tells.
    fileprivate var perfmonSuffices: Bool {
        var nobody = Credentials(effectiveUser: 65534, fileUser: 65534, fileGroup: 65534, capabilities: 0)
        for pid in (try? processes()) ?? [] where pid != ownNumber {
            // One that is stuck in an exec would not answer.
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
