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

    /// Ends the program with one line on the standard error.
    static func fail(_ message: String) -> ExitCode {
        try? System.write(Array("pagefs: \(message)\n".utf8), to: 2)
        return .failure
    }

    static func main() {
        System.tuneAllocator()
        // mount(8) puts options behind the operands, and so may people; the parser takes both.
        main(nil)
    }
}
