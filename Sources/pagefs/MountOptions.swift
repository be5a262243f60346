import ArgumentParser
import MemoryTree
import ProcSource
import Syscalls

/// The options after `-o`, and the one table that says what each does.
struct MountOptions {
    var tree = Tree.Options()
    /// Passed on to FUSE.
    private(set) var fuse: [String] = []

    /// One option of pagefs itself.
    struct Option: Sendable {
        let name: String
        /// The value as help spells it; nil when the option takes none.
        let value: String?
        let meaning: String
        /// Sets the option; false when the value is not valid.
        let apply: @Sendable (inout Tree.Options, String) -> Bool
    }

    static let ours: [Option] = [
        Option(name: "max_age", value: "MILLISECONDS", meaning: "how long an answer may be reused (1000; 0: never)") {
            set(&$0.maximumAge, UInt64($1).flatMap { $0 <= 86_400_000 ? $0 : nil })
        },
        Option(name: "cache", value: "MiB", meaning: "memory for kept answers (64)") {
            set(&$0.cacheBytes, UInt32($1).map { Int($0) << 20 })
        },
        Option(name: "threads", value: "N", meaning: "threads that decode pages (one per processor, at most 4)") {
            set(&$0.threads, Int($1).flatMap { (1...64).contains($0) ? $0 : nil })
        },
        Option(name: "sizes", value: "exact", meaning: "generate files at stat, so that tar and rsync see right sizes")
        {
            $0.sizesExact = true
            return $1 == "exact"
        },
        Option(name: "noscan", value: nil, meaning: "read pagemap across holes instead of PAGEMAP_SCAN") { options, _ in
            options.scanAllowed = false
            return true
        },
        Option(
            name: "proc", value: "DIR", meaning: "show the processes of a /proc mounted elsewhere, or of a recording"
        ) {
            $0.proc = $1
            return !$1.isEmpty
        },
        Option(
            name: "allow_other", value: nil,
            meaning: "root only: let every user in; each sees what /proc shows them"
        ) { options, _ in
            options.access.admitsEverybody = true
            return true
        },
        Option(name: "nsdeny", value: nil, meaning: "with allow_other: refuse readers in other pid namespaces") {
            options, _ in
            options.access.deniesPidNamespaces = true
            return true
        },
    ]

    /// Options that FUSE itself understands.
    private static let passedOn: Set<String> = [
        "auto_unmount", "default_permissions",
    ]

    /// Options of mount(8) and fstab that change nothing here: the mount is `ro,nosuid,nodev` in any case.
    private static let accepted: Set<String> = [
        "rw", "ro", "dev", "nodev", "suid", "nosuid", "exec", "noexec", "atime", "noatime", "diratime", "nodiratime",
        "relatime", "norelatime", "strictatime", "nostrictatime", "lazytime", "nolazytime", "sync", "async", "dirsync",
        "auto", "noauto", "user", "nouser", "users", "nousers", "owner", "noowner", "group", "nogroup", "defaults",
        "nofail", "_netdev", "remount", "silent", "loud", "mand", "nomand", "iversion", "noiversion",
    ]

    /// - Throws: the one line to print.
    init(_ lists: [String]) throws(Problem) {
        for option in lists.flatMap({ $0.split(separator: ",") }).map(String.init) {
            let parts = option.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let name = parts[0]
            if let known = Self.ours.first(where: { $0.name == name }) {
                guard (known.value == nil) == (parts.count == 1), known.apply(&tree, parts.count > 1 ? parts[1] : "")
                else {
                    throw Problem("bad option -o \(option): expected \(known.spelling)")
                }
            } else if Self.passedOn.contains(name) {
                fuse.append(option)
            } else if name == "allow_root" {
                throw Problem("-o allow_root is not supported: root can mount its own tree, which shows everything")
            } else if !Self.accepted.contains(name), !name.lowercased().hasPrefix("x-"), name != "comment" {
                throw Problem("unknown option -o \(option): see pagefs --help")
            }
        }
        if tree.proc != "/proc" {
            guard let path = try? System.absolutePath(tree.proc) else {
                throw Problem("-o proc=\(tree.proc): no such directory")
            }
            tree.proc = path
        }
    }

    /// Decides whose rights count on a mount. With allow_other, those of each reader. On a plain user's mount, only
    /// that user's: the kernel lets in all their processes, also those with fewer rights. Root's own mount lets in root
    /// alone.
    mutating func settleAccess() throws(Problem) {
        if System.userNumber != 0 {
            guard !tree.access.admitsEverybody else {
                throw Problem("-o allow_other is for root: a plain user's daemon cannot act with the rights of others")
            }
            tree.access.sharing = .sameUser
        } else if tree.access.admitsEverybody {
            guard Access.canServeEverybody else {
                throw Problem("-o allow_other needs CAP_SETUID and CAP_SETGID, to act with the rights of each reader")
            }
            tree.access.sharing = .everybody
            fuse.append("allow_other")
        }
        guard tree.access.sharing == .everybody || !tree.access.deniesPidNamespaces else {
            throw Problem("-o nsdeny needs allow_other: without it no other user is let in")
        }
    }

    /// - Parameter report: called once for each kind of reader that is refused.
    /// - Throws: the one line to print.
    func makeTree(report: @escaping @Sendable (Refusal) -> Void = { _ in }) throws(Problem) -> Tree {
        do { return try Tree(tree, report: report) } catch {
            if error == .failed(.notSupported) {
                throw Problem("/proc belongs to another pid namespace: mount the /proc of this namespace first")
            }
            throw Problem(
                error == .failed(.invalidArgument)
                    ? "-o proc=\(tree.proc): no process in it: name a mounted /proc or a recording of one"
                    : "\(tree.proc): \(TreePath.describe(error))")
        }
    }

    static var help: ArgumentHelp {
        let rows = ours.map { "\($0.spelling): \($0.meaning)" }
        return ArgumentHelp("Options, comma-separated: \(rows.joined(separator: "; ")).", valueName: "options")
    }
}

extension MountOptions.Option {
    var spelling: String { value.map { "\(name)=\($0)" } ?? name }
}

/// Why the program cannot do what was asked, in one line.
struct Problem: Error {
    let line: String
    init(_ line: String) { self.line = line }
}

private func set<Value>(_ place: inout Value, _ value: Value?) -> Bool {
    guard let value else { return false }
    place = value
    return true
}
