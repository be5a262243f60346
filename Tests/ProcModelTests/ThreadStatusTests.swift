import ProcModel
import Testing

@Suite("status of a thread", .timeLimit(.minutes(1)))
struct ThreadStatusTests {
    /// As Linux 6.18 prints it, less the lines that say nothing about rights.
    static func text(
        name: String = "app", users: String = "1000\t1001\t1002\t1003", groups: String = "4 24 27 ",
        namespaces: String = "4322\t7", kernelThread: String = "Kthread:\t0\nVmSize:\t    2344 kB\n",
        capabilities: String = "0000004000280086",
        noNewPrivileges: Int = 1
    ) -> [UInt8] {
        Array(
            """
            Name:\t\(name)
            Umask:\t0022
            State:\tS (sleeping)
            Tgid:\t4321
            Ngid:\t0
            Pid:\t4322
            Uid:\t\(users)
            Gid:\t2000\t2001\t2002\t2003
            FDSize:\t256
            Groups:\t\(groups)
            NStgid:\t4321
            NSpid:\t\(namespaces)
            \(kernelThread)CapInh:\t0000000000000000
            CapPrm:\t000001ffffffffff
            CapEff:\t\(capabilities)
            NoNewPrivs:\t\(noNewPrivileges)

            """.utf8)
    }

    @Test func whatCountsIsEffectiveOrOfTheFileSystem() throws {
        let status = try ThreadStatus(parsing: Self.text())
        #expect(status.process == PID(rawValue: 4321))
        #expect((status.effectiveUser, status.fileUser, status.fileGroup) == (1001, 1003, 2003))
        #expect(status.groups == [4, 24, 27])
        #expect(status.capabilities == [.dacOverride, .dacReadSearch, .setuid, .sysPtrace, .sysAdmin, .perfmon])
        #expect(status.hasNoNewPrivileges && !status.isKernelThread && status.pidNamespaces == 2)
    }

    @Test func nobodyWithoutGroupsIsRead() throws {
        let status = try ThreadStatus(
            parsing: Self.text(groups: " ", namespaces: "4322", capabilities: "0000000000000000", noNewPrivileges: 0))
        #expect(status.groups.isEmpty && status.capabilities.isEmpty)
        #expect(!status.hasNoNewPrivileges && status.pidNamespaces == 1)
    }

    @Test func kernelThreadsAreToldApart() throws {
        #expect(try ThreadStatus(parsing: Self.text(kernelThread: "Kthread:\t1\n")).isKernelThread)
        #expect(try !ThreadStatus(parsing: Self.text(kernelThread: "VmSize:\t    2344 kB\n")).isKernelThread)
        #expect(try ThreadStatus(parsing: Self.text(kernelThread: "")).isKernelThread)
    }

    /// The kernel prints a newline of a name as two characters, so no name makes a line of its own.
    @Test func nameThatLooksLikeALineIsNone() throws {
        let status = try ThreadStatus(parsing: Self.text(name: "x\\nCapEff:\\tffff"))
        #expect(status.capabilities.rawValue == 0x40_0028_0086)
    }

    @Test func lineThatIsMissingIsAnError() {
        let text = Self.text()
        for length in 0..<text.count - 2 {
            #expect(throws: DecodeError.self) { try ThreadStatus(parsing: Array(text[..<length])) }
        }
        #expect(throws: DecodeError.self) { try ThreadStatus(parsing: Self.text(users: "1000\t1001")) }
        #expect(throws: DecodeError.self) { try ThreadStatus(parsing: Self.text(capabilities: "")) }
    }
}
