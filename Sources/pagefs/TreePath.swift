import MemoryTree
import ProcModel
import ProcSource
import Syscalls
import SystemPackage

/// A path below the root of a tree that is not mounted.
struct TreePath {
    /// What a path leads to.
    enum Place {
        case node(Node)
        /// A link leads out of the tree, to this file.
        case outside(String)
    }

    let tree: Tree
    let reader: Reader

    /// - Throws: the one line to print.
    init(_ options: [String]) throws(Problem) {
        tree = try MountOptions(options).makeTree()
        reader = Reader(.daemon)
    }

    /// Asks the tree. While a process does not answer, waits and asks again.
    static func answer<Value>(_ ask: () throws(ProcError) -> Value) throws(ProcError) -> Value {
        while true {
            do { return try ask() } catch {
                guard case .mustWait(let gate) = error else { throw error }
                gate.wait()
            }
        }
    }

    /// Follows the path and the links in it.
    ///
    /// - Parameter followLast: also follow the last component if it is a link.
    func find(_ path: String, followLast: Bool = true) throws(Problem) -> Place {
        do throws(ProcError) {
            var nodes = [Node.root]
            var rest = Self.components(Array(path.utf8))
            var links = 0
            while !rest.isEmpty {
                let name = rest.removeFirst()
                if name == Array("..".utf8) {
                    if nodes.count > 1 { nodes.removeLast() }
                    continue
                }
                let parent = nodes[nodes.count - 1]
                let node = try Self.answer { () throws(ProcError) in try tree.lookup(name, in: parent, for: reader) }
                guard node.kind == .link, followLast || !rest.isEmpty else {
                    nodes.append(node)
                    continue
                }
                links += 1
                guard links < 40 else { throw ProcError.failed(.tooManySymbolicLinkLevels) }
                let target = try Self.answer { () throws(ProcError) in try tree.target(of: node, for: reader) }
                if target.first == UInt8(ascii: "/") {
                    let outside = ([target] + rest).map { String(decoding: $0, as: UTF8.self) }
                    return .outside(outside.joined(separator: "/"))
                }
                rest = Self.components(target) + rest
            }
            return .node(nodes[nodes.count - 1])
        } catch { throw Problem("\(path): \(Self.describe(error))") }
    }

    /// Writes all of a file to the standard output.
    func print(_ place: Place, _ path: String) throws(Problem) {
        do throws(ProcError) {
            switch place {
            case .outside(let file):
                let file = try ProcError.wrap { () throws(Errno) in try File.open(file) }
                while true {
                    let part = try ProcError.wrap { () throws(Errno) in try file.readNext(1 << 20) }
                    if part.isEmpty { return }
                    try ProcError.wrap { () throws(Errno) in try System.write(part, to: 1) }
                }
            case .node(let node):
                guard node.kind == .file else { throw ProcError.failed(.isDirectory) }
                let file = try Self.answer { () throws(ProcError) in try tree.open(node, for: reader) }.file
                var offset: UInt64 = 0
                while true {
                    let pieces = try Self.answer { () throws(ProcError) in
                        try file.read(at: offset, count: 1 << 20, reader)
                    }
                    file.settle(delivered: true)
                    if pieces.isEmpty { return }
                    for piece in pieces {
                        try ProcError.wrap { () throws(Errno) in try System.write(Array(piece), to: 1) }
                        offset += UInt64(piece.count)
                    }
                }
            }
        } catch {
            // The reader of the pipe has closed it: that is no failure.
            if error == .failed(.brokenPipe) { return }
            throw Problem("\(path): \(Self.describe(error))")
        }
    }

    static func describe(_ error: ProcError) -> String {
        switch error {
        case .gone: "the process or mapping is gone"
        case .absent: "No such file or directory"
        case .refused(let errno), .failed(let errno): errno.description
        case .interrupted: "interrupted"
        case .mustWait: Errno.resourceTemporarilyUnavailable.description
        case .malformed(let cause): "the kernel's \(cause.file) cannot be parsed at byte \(cause.offset)"
        }
    }

    private static func components(_ path: [UInt8]) -> [[UInt8]] {
        path.split(separator: UInt8(ascii: "/")).map(Array.init).filter { $0 != [UInt8(ascii: ".")] }
    }
}
