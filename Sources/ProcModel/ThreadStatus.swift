/// /proc/TID/status: the lines that say with what rights a thread acts.
///
/// Source: proc_pid_status(5), task_state() and task_cap() of fs/proc/array.c.
package struct ThreadStatus: Equatable, Sendable {
    /// Number of its process.
    package let process: Int32
    package let effectiveUser, fileUser, fileGroup: UInt32
    /// Supplementary ones.
    package let groups: [UInt32]
    /// Effective, as seen from the thread's own user namespace.
    package let capabilities: CapabilitySet
    package let hasNoNewPrivileges: Bool
    package let isKernelThread: Bool
    /// Pid namespaces it is in, as seen from the reader's own: 1 where they are the same.
    package let pidNamespaces: Int

    package init(parsing text: [UInt8]) throws(DecodeError) {
        var values: [Key: [UInt64]] = [:]
        var cursor = ByteCursor(text)
        while !cursor.isAtEnd {
            let end = cursor.endOfLine
            if let key = Key.allCases.first(where: { text[cursor.position...].starts(with: $0.rawValue.utf8) }) {
                var line = ByteCursor(text, from: cursor.position + key.rawValue.utf8.count, to: end)
                var numbers: [UInt64] = []
                while true {
                    line.skipBlanks()
                    guard let number = key == .capabilities ? line.hex() : line.decimal() else { break }
                    numbers.append(number)
                }
                values[key] = numbers
            }
            cursor.position = end + 1
        }
        func number(_ key: Key, _ index: Int = 0) throws(DecodeError) -> UInt64 {
            guard let numbers = values[key], index < numbers.count else { throw DecodeError("status", at: text.count) }
            return numbers[index]
        }
        // Uid and Gid are real, effective, saved and of the file system.
        guard let process = Int32(exactly: try number(.process)),
            let effectiveUser = UInt32(exactly: try number(.users, 1)),
            let fileUser = UInt32(exactly: try number(.users, 3)),
            let fileGroup = UInt32(exactly: try number(.groupsOwn, 3)), let groups = values[.groups]
        else { throw DecodeError("status", at: 0) }
        self.process = process
        self.effectiveUser = effectiveUser
        self.fileUser = fileUser
        self.fileGroup = fileGroup
        self.groups = groups.compactMap { UInt32(exactly: $0) }
        capabilities = CapabilitySet(rawValue: try number(.capabilities))
        hasNoNewPrivileges = try number(.noNewPrivileges) != 0
        isKernelThread = values[.kernelThread]?.first == 1
        pidNamespaces = values[.pidNamespaces]?.count ?? 1
    }

    private enum Key: String, CaseIterable {
        case process = "Tgid:"
        case users = "Uid:"
        case groupsOwn = "Gid:"
        case groups = "Groups:"
        case pidNamespaces = "NSpid:"
        case kernelThread = "Kthread:"
        case capabilities = "CapEff:"
        case noNewPrivileges = "NoNewPrivs:"
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
