/// /proc/TID/status: the lines that tell which rights a thread has.
///
/// Source: proc_pid_status(5), task_state() and task_cap() of fs/proc/array.c.
package struct ThreadStatus: Equatable, Sendable {
    /// The pid of its process (Tgid).
    package let process: PID
    package let effectiveUser, fileUser, fileGroup: UInt32
    /// Supplementary groups.
    package let groups: [UInt32]
    /// Effective capabilities, in the thread's own user namespace.
    package let capabilities: CapabilitySet
    package let hasNoNewPrivileges: Bool
    package let isKernelThread: Bool
    /// How many nested pid namespaces it is in, counted from the one of the /proc that is read: 1 if it is in the same.
    package let pidNamespaces: Int

    package init(parsing text: [UInt8]) throws(DecodeError) {
        // The first four numbers of each line. Each request of a reader comes here, so little is allocated.
        var numbers = [UInt64](repeating: 0, count: Key.allCases.count * Self.most)
        var counts = [Int](repeating: 0, count: Key.allCases.count)
        var groups: [UInt32] = []
        var cursor = ByteCursor(text)
        while !cursor.isAtEnd {
            if let key = Key(lineAt: cursor.position, of: text) {
                cursor.position += key.name.count
                while true {
                    cursor.skipBlanks()
                    guard let number = key == .capabilities ? cursor.hex() : cursor.decimal() else { break }
                    if key == .groups {
                        if let group = UInt32(exactly: number) { groups.append(group) }
                    } else if counts[key.rawValue] < Self.most {
                        numbers[key.rawValue * Self.most + counts[key.rawValue]] = number
                    }
                    counts[key.rawValue] += 1
                }
                if key == .groups { counts[key.rawValue] += 1 }
            }
            cursor.position = cursor.endOfLine + 1
        }
        // The four numbers of Uid and Gid are real, effective, saved and filesystem.
        let isComplete =
            counts[Key.process.rawValue] == 1 && counts[Key.users.rawValue] == 4 && counts[Key.groupsOwn.rawValue] == 4
            && counts[Key.groups.rawValue] > 0 && counts[Key.capabilities.rawValue] == 1
            && counts[Key.noNewPrivileges.rawValue] == 1
        guard isComplete else { throw DecodeError("status", at: text.count) }
        func number(_ key: Key, _ index: Int = 0) -> UInt64 { numbers[key.rawValue * Self.most + index] }
        guard let process = PID(exactly: number(.process)), let effectiveUser = UInt32(exactly: number(.users, 1)),
            let fileUser = UInt32(exactly: number(.users, 3)), let fileGroup = UInt32(exactly: number(.groupsOwn, 3))
        else { throw DecodeError("status", at: 0) }
        self.process = process
        self.effectiveUser = effectiveUser
        self.fileUser = fileUser
        self.fileGroup = fileGroup
        self.groups = groups
        capabilities = CapabilitySet(rawValue: number(.capabilities))
        hasNoNewPrivileges = number(.noNewPrivileges) != 0
        // Kernels before 6.6 have no Kthread line. There a thread without memory is a kernel thread or a zombie, and a
        // zombie makes no requests.
        isKernelThread =
            counts[Key.kernelThread.rawValue] == 0 ? counts[Key.memory.rawValue] == 0 : number(.kernelThread) == 1
        pidNamespaces = max(1, counts[Key.pidNamespaces.rawValue])
    }

    /// How many numbers of a line are kept.
    private static let most = 4

    private enum Key: Int, CaseIterable {
        case process, users, groupsOwn, groups, pidNamespaces, kernelThread, memory, capabilities, noNewPrivileges

        private static let names = [
            "Tgid:", "Uid:", "Gid:", "Groups:", "NSpid:", "Kthread:", "VmSize:", "CapEff:", "NoNewPrivs:",
        ].map { Array($0.utf8) }

        var name: [UInt8] { Self.names[rawValue] }

        /// The key at the start of a line; nil for other lines. It is fast, as each request of a reader comes here.
        init?(lineAt position: Int, of text: [UInt8]) {
            for key in Self.allCases where key.name[0] == text[position] {
                if text[position...].starts(with: key.name) {
                    self = key
                    return
                }
            }
            return nil
        }
    }
}

/// A set of capabilities(7).
package struct CapabilitySet: OptionSet, Hashable, Sendable {
    package let rawValue: UInt64

    package init(rawValue: UInt64) { self.rawValue = rawValue }

    package static let dacOverride = CapabilitySet(rawValue: 1 << 1)
    package static let dacReadSearch = CapabilitySet(rawValue: 1 << 2)
    package static let setgid = CapabilitySet(rawValue: 1 << 6)
    package static let setuid = CapabilitySet(rawValue: 1 << 7)
    package static let sysPtrace = CapabilitySet(rawValue: 1 << 19)
    package static let sysAdmin = CapabilitySet(rawValue: 1 << 21)
    package static let perfmon = CapabilitySet(rawValue: 1 << 38)
    package static let checkpointRestore = CapabilitySet(rawValue: 1 << 40)
}
