import FuseBridge
import Logging
import MemoryTree
import ProcSource
import Syscalls

/// Mounts the tree as `pagefs -f -o allow_other` does, with one rule of access left out: so the tests see that they would
/// notice if it were missing.
///
///     without-rule -f -o allow_other,RULE MOUNTPOINT
@main
enum WithoutRule {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 5, let name = arguments[3].split(separator: ",").last,
            let rule = Access.Rule(rawValue: String(name))
        else { fatalError("usage: without-rule -f -o allow_other,RULE MOUNTPOINT") }
        Signals.prepare()
        let log = Logger(label: "pagefs")
        var options = Tree.Options()
        options.descriptors = Int(clamping: System.raiseDescriptorLimit())
        options.access.sharing = .everybody
        options.access.admitsEverybody = true
        options.access.without = rule
        let tree = try Tree(options) { log.warning("a reader is refused: \($0.reason)") }
        let session = try FuseSession(
            tree, at: arguments[4], options: ["ro", "fsname=pagefs", "subtype=pagefs", "allow_other"], debug: false,
            log: log, ready: {})
        try Credentials.confine(to: Access.needed.rawValue)
        Thread.start {
            _ = Signals.waitForEnd()
            session.stop()
        }
        session.serve()
    }
}
