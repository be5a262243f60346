import ArgumentParser
import FuseBridge
import Logging
import MemoryTree
import ProcSource
import Syscalls
import SystemPackage

/// `pagefs [options] [SOURCE] MOUNTPOINT`.
struct MountCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mount", abstract: "Mount the tree (the default).",
        usage: "pagefs [options] [SOURCE] MOUNTPOINT", discussion: Examples.mount)

    @Argument(
        help: ArgumentHelp(
            "The directory to mount on. A SOURCE before it, as mount(8) passes, is shown in /proc/mounts.",
            valueName: "mountpoint"))
    var operands: [String]

    @Flag(name: .short, help: "Stay in the foreground.")
    var foreground = false

    @Flag(name: .short, help: "Print every request; implies -f.")
    var debug = false

    @Option(name: .customShort("o", allowingJoined: true), help: MountOptions.help)
    var options: [String] = []

    @Option(name: .customLong("ready-descriptor"), help: .hidden)
    var readyDescriptor: Int32?

    func run() throws {
        do { try mount() } catch let problem as Problem {
            if let readyDescriptor {
                Daemon.report(Array(problem.line.utf8), to: readyDescriptor)
                throw ExitCode.failure
            }
            throw Pagefs.fail(problem.line)
        }
    }

    private func mount() throws {
        guard let given = operands.last, operands.count <= 2 else {
            throw Problem("expected one mount point, at most a source before it: pagefs [options] [SOURCE] MOUNTPOINT")
        }
        let options = try MountOptions(self.options)
        let mountPoint = try MountPoint(given)
        if foreground || debug {
            try serve(at: mountPoint.path, options)
        } else {
            try startInBackground(mountPoint)
        }
    }

    private func startInBackground(_ mountPoint: MountPoint) throws {
        var arguments = ["pagefs", "mount", "-f", "--ready-descriptor", String(Daemon.readyDescriptor)]
        for list in options { arguments += ["-o", list] }
        // A daemon has another working directory, so relative names must become absolute.
        arguments += ["-o", "proc=\(try MountOptions(options).tree.proc)"]
        let report = try Daemon.start(arguments: arguments + ["--"] + operands.dropLast() + [mountPoint.path])
        guard report == Daemon.readyMark else {
            throw Problem(
                report.isEmpty ? "the daemon exited before the mount was up" : String(decoding: report, as: UTF8.self))
        }
    }

    private func serve(at path: String, _ options: MountOptions) throws {
        Signals.prepare()
        // The background process was started as /proc/self/exe.
        System.setName("pagefs")
        var options = options
        options.tree.descriptors = Int(clamping: System.raiseDescriptorLimit())
        try options.settleAccess()
        let inBackground = readyDescriptor != nil
        LoggingSystem.bootstrap { label -> any LogHandler in
            if inBackground { return SystemLog() }
            return StreamLogHandler.standardError(label: label)
        }
        let log = Logger(label: "pagefs")
        let tree = try options.makeTree { log.warning("a reader is refused: \($0.reason)") }
        let source = operands.count == 2 ? operands[0] : "pagefs"
        let ready = readyDescriptor
        let session: FuseSession
        do throws(FuseSession.Failure) {
            session = try FuseSession(
                tree, at: path, options: ["ro", "fsname=\(source.escapingCommas)", "subtype=pagefs"] + options.fuse,
                debug: debug, log: log,
                ready: { if let ready { Daemon.report(Daemon.readyMark, to: ready) } })
        } catch { throw Problem(error.message) }
        do { try confine() } catch {
            session.close()
            throw error
        }
        Thread.start {
            _ = Signals.waitForEnd()
            session.stop()
        }
        session.serve()
    }

    /// Drops the privileges that serving does not need. A plain user's daemon has none to drop, and must still be able
    /// to unmount with fusermount3, which gains privileges.
    private func confine() throws(Problem) {
        guard System.userNumber == 0 else { return Credentials.hide() }
        do { try Credentials.confine(to: Access.needed.rawValue) } catch {
            throw Problem("cannot give up privileges: \(error)")
        }
    }
}

extension String {
    /// A comma would begin another option.
    fileprivate var escapingCommas: String {
        reduce(into: "") { $0 += $1 == "," || $1 == "\\" ? "\\\($1)" : String($1) }
    }
}

/// Sends the log lines of a background daemon to syslog.
private struct SystemLog: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level = .info

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let priority: Int32 =
            switch event.level {
            case .trace, .debug: 7
            case .info: 6
            case .notice: 5
            case .warning: 4
            case .error: 3
            case .critical: 2
            }
        Daemon.log(priority, "pagefs: \(event.message)")
    }
}
