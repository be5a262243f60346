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
            Mounts a read-only tree: a directory for each process, in it a folder for each of its mappings, and in that \
            the decoded page map as text.

            EXAMPLES:
              pagefs /run/pagefs                       mount, in the background
              pagefs -f -o max_age=0 /run/pagefs       stay in the foreground, never show old data
              pagefs -o proc=/other/proc /run/pagefs   show the processes of another /proc
              mount -t fuse.pagefs pagefs /run/pagefs  the same as the first, by mount(8)
              fusermount3 -u /run/pagefs               unmount
              pagefs cat self/layout                   a file of the tree, without mounting anything
              pagefs cat 1/flags                       which flags the pages of process 1 carry
              pagefs ls self/by-label                  a directory of it
              pagefs tree self/at                      a directory and all below it
              pagefs cat README                        what the tree holds
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
