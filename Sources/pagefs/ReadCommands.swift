import ArgumentParser
import MemoryTree
import ProcSource
import Syscalls

/// What the commands that read the tree without a mount have in common.
struct ReadArguments: ParsableArguments {
    @Option(name: .customShort("o", allowingJoined: true), help: MountOptions.help)
    var options: [String] = []

    @Argument(help: "Path below the mount point, with or without a leading slash.")
    var path: String = ""
}

extension ParsableCommand {
    /// Runs `body`. A problem prints one line, and the command fails.
    fileprivate func reporting(_ body: () throws(Problem) -> Void) throws {
        Signals.ignoreBrokenPipes()
        do { try body() } catch { throw Pagefs.fail(error.line) }
    }
}

/// `pagefs cat PATH`.
struct CatCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cat", abstract: "Print a file of the tree, without mounting it.",
        discussion: Examples.cat)

    @OptionGroup var arguments: ReadArguments

    func run() throws {
        try reporting { () throws(Problem) in
            let tree = try TreePath(arguments.options)
            try tree.print(try tree.find(arguments.path), arguments.path)
        }
    }
}

/// `pagefs ls PATH`.
struct ListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls", abstract: "List a directory of the tree, without mounting it.",
        discussion: Examples.list)

    @OptionGroup var arguments: ReadArguments

    func run() throws {
        try reporting { () throws(Problem) in
            let tree = try TreePath(arguments.options)
            switch try tree.find(arguments.path) {
            case .node(let node) where node.kind == .directory:
                try tree.write(try tree.list(node, arguments.path).map { $0.name + [0x0a] }.flatMap { $0 })
            case .node:
                try tree.write(Array((arguments.path + "\n").utf8))
            case .outside(let path):
                throw Problem("\(arguments.path): leads out of the tree, to \(path)")
            }
        }
    }
}

/// `pagefs tree PATH`.
struct TreeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tree", abstract: "List a directory of the tree and all below it, with the targets of links.",
        discussion: Examples.tree)

    @OptionGroup var arguments: ReadArguments

    func run() throws {
        try reporting { () throws(Problem) in
            let tree = try TreePath(arguments.options)
            guard case .node(let node) = try tree.find(arguments.path) else {
                throw Problem("\(arguments.path): leads out of the tree")
            }
            let path = arguments.path.split(separator: "/").joined(separator: "/")
            try tree.write(Array("\(path.isEmpty ? "/" : path)\n".utf8))
            if node.kind == .directory { try tree.writeBranch(node, indent: "  ") }
        }
    }
}

/// `pagefs handbook TOPIC`: the text of the manual and of docs/ that is generated from the tables.
struct HandbookCommand: ParsableCommand {
    enum Topic: String, ExpressibleByArgument, CaseIterable { case tree, man, refusals }

    static let configuration = CommandConfiguration(
        commandName: "handbook", abstract: "Print the generated part of the documentation.", shouldDisplay: false)

    @Argument(help: "tree, man or refusals.") var topic: Topic

    func run() throws {
        let text =
            switch topic {
            case .tree: Handbook.markdown
            case .man: Handbook.manual
            case .refusals: Handbook.refusals
            }
        try System.write(Array(text.utf8), to: 1)
    }
}

extension TreePath {
    fileprivate func list(_ node: Node, _ path: String) throws(Problem) -> [(name: [UInt8], node: Node)] {
        do {
            return try Self.answer { () throws(ProcError) in try tree.list(node, for: reader) }
        } catch { throw Problem("\(path): \(Self.describe(error))") }
    }

    fileprivate func write(_ bytes: [UInt8]) throws(Problem) {
        do { try System.write(bytes, to: 1) } catch  where error == .brokenPipe {} catch { throw Problem("\(error)") }
    }

    /// Writes everything below a directory. Where a directory cannot be listed, the reason stands in its place.
    fileprivate func writeBranch(_ node: Node, indent: String) throws(Problem) {
        let children: [(name: [UInt8], node: Node)]
        do { children = try Self.answer { () throws(ProcError) in try tree.list(node, for: reader) } } catch {
            return try write(Array("\(indent)(\(Self.describe(error)))\n".utf8))
        }
        for (name, listed) in children {
            var line = Array(indent.utf8) + name
            // A listing looks up no process. One that has ended since is shown with nothing below it.
            let child = try? Self.answer { () throws(ProcError) in try tree.lookup(name, in: node, for: reader) }
            switch listed.entry.kind {
            case .directory: line.append(UInt8(ascii: "/"))
            case .link:
                let target = child.flatMap { child in
                    try? Self.answer { () throws(ProcError) in try tree.target(of: child, for: reader) }
                }
                if let target { line += Array(" -> ".utf8) + target }
            case .file: break
            }
            try write(line + [0x0a])
            if let child, child.entry.kind == .directory { try writeBranch(child, indent: indent + "  ") }
        }
    }
}
