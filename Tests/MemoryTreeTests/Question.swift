import Testing

@testable import MemoryTree

/// Something that a reader does with a name below a process or, with `vma/RANGE` before it, below a mapping.
struct Question: Sendable, CustomTestStringConvertible {
    enum Kind: Sendable { case read, list, target, attributes }

    let kind: Kind
    let path: String

    var testDescription: String { "\(kind) \(path)" }

    static let ofProcess =
        questions(below: .process, at: "") + questions(below: .at, at: "at/")
        + questions(below: .byLabel, at: "by-label/")
    static let ofTables = ofProcess.filter { question in
        question.kind == .read && ["pages", "ranges", "layout", "files"].contains(question.path)
    }

    static let ofMapping = questions(below: .vma, at: "vma/RANGE/") + questions(below: .raw, at: "vma/RANGE/raw/")

    /// All of what has a fixed name, and a pattern of each kind.
    private static func questions(below parent: Entry, at path: String) -> [Question] {
        let names = parent.children.flatMap { entry in
            switch entry.specification.name {
            case .fixed(let name): [(entry.kind, name)]
            case .pattern(let name): [(entry.kind, name)]
            }
        }
        return names.flatMap { kind, name in
            let kinds: [Kind] =
                switch kind {
                case .file: [.read, .attributes]
                case .directory: [.list]
                case .link: [.target]
                }
            return kinds.map { Question(kind: $0, path: path + name) }
        }
    }
}
