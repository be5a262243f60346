import Testing

@testable import MemoryTree

/// Something that a reader does with a name below a process or, with `vma/RANGE` before it, below a mapping.
struct Question: Sendable, CustomTestStringConvertible {
    enum Kind: Sendable { case read, list, target, attributes }

    let kind: Kind
    let path: String

    var testDescription: String { "\(kind) \(path)" }

    static let ofProcess = all.filter { !$0.path.hasPrefix("vma/") }
    static let ofTables = ofProcess.filter { question in
        question.kind == .read && ["pages", "ranges", "layout", "files"].contains(question.path)
    }

    static let ofMapping = all.filter { $0.path.hasPrefix("vma/RANGE/") }

    /// Of each place below a process, patterns in capitals.
    private static let all = Place.all.filter { $0.path.hasPrefix("PID/") }.flatMap { place in
        let kinds: [Kind] =
            switch place.entry.kind {
            case .file: [.read, .attributes]
            case .directory: [.list]
            case .link: [.target]
            }
        return kinds.map { Question(kind: $0, path: String(place.path.dropFirst("PID/".count))) }
    }
}
