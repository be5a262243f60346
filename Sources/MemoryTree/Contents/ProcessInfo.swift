import ProcModel
import ProcSource
import ProcText

/// What /proc/PID/stat and status tell everybody about a process.
struct ProcessIdentity {
    let stat: ProcessStat
    let status: StatusFile

    init(_ process: PinnedProcess) throws(ProcError) {
        stat = try process.stat()
        status = try process.status()
    }

    static let report = Report<ProcessIdentity>([
        .key("Name", "of a process: its command") { .name($0.stat.command) },
        .key("State", "letter and word, as in /proc/PID/status") { .word(ifAny: $0.status["State"]) },
        .key("Pid", "process ID") { $0.number("Pid") },
        .key("Uid", "real, effective, saved and filesystem user ID") { .word(ifAny: $0.status["Uid"]) },
        .key("Threads", "number of threads") { $0.number("Threads") },
        .key("Kthread", "1 for a kernel thread") {
            $0.status["Kthread"] == nil ? .number($0.stat.isKernelThread ? 1 : 0) : $0.number("Kthread")
        },
    ])

    private func number(_ key: String) -> Cell { .number(ifAny: status[key].flatMap { UInt64($0) }) }
}

/// What `info` of a process is made from.
struct ProcessInfo {
    let identity: ProcessIdentity
    /// Milliseconds since 1970.
    let started: UInt64
    let executable: Cell

    static let report = Report<ProcessInfo>(
        ProcessIdentity.report.keys.map { $0.of(\.identity) } + [
            .key("Started", "start time, UTC") { info in .text { $0.time(milliseconds: info.started) } },
            .key("Executable", "target of /proc/PID/exe; - for none, ? if hidden") { $0.executable },
        ])
}

extension Content {
    /// Shown for any process, like /proc/PID/status. Made again for each open: the kernel checks the right to the link
    /// to the executable when the link is read.
    static let processInfo = process { tree, process, view throws(ProcError) in
        let identity = try ProcessIdentity(process)
        let executable: Cell
        do throws(ProcError) {
            executable = .name(try process.readLink("exe", as: try view.decision.rights()))
        } catch {
            try error.throwIfUnanswered()
            // A process without a program has no executable. One that has ended gives no answer.
            guard process.isAlive else { throw .gone }
            executable = if case .refused = error { .hidden } else { .absent }
        }
        var text = LineWriter()
        ProcessInfo.report.append(
            ProcessInfo(
                identity: identity, started: tree.root.machine.time(ofTicks: identity.stat.startTime),
                executable: executable),
            to: &text)
        return text.bytes
    }
}
