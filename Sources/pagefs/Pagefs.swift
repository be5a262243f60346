import ArgumentParser
import Syscalls

/// The program: `mount` unless another subcommand is named.
@main
struct Pagefs: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pagefs",
        abstract: "Shows the memory of every process, page by page, as files.",
        usage: """
            pagefs [options] [SOURCE] MOUNTPOINT
            pagefs cat|ls|tree [options] PATH
            """,
        discussion: """
            Mounts a read-only tree with a directory for each process. In it, each mapping has a directory with the \
            decoded page map as text.

            \(Examples.mount)
              pagefs cat self/layout                    a file, without mounting
              pagefs ls self/by-label                   a directory, without mounting
              pagefs tree by-name                       a directory and everything below
            """,
        version: version,
        subcommands: [MountCommand.self, CatCommand.self, ListCommand.self, TreeCommand.self, HandbookCommand.self],
        defaultSubcommand: MountCommand.self)

    static let version = "0.1.0"

    /// Prints one line to standard error and returns the exit code of a failure.
    static func fail(_ message: String) -> ExitCode {
        try? System.write(Array("pagefs: \(message)\n".utf8), to: 2)
        return .failure
    }

    static func main() {
        System.tuneAllocator()
        // mount(8) puts options after the operands, and people may too; the parser takes both orders.
        main(nil)
    }
}
