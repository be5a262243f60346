/// Where an entry stands. An entry with several kinds of scope stands in several places.
package struct Place: Sendable {
    package let entry: Entry
    /// The kind of scope that it has there.
    package let scope: Scope.Kind
    /// Path below the mount point, patterns in capitals.
    package let path: String
    package let isLookUpOnly: Bool
    package let meaning: String

    /// All places but the root. A directory comes before what is in it.
    package static let all: [Place] = below(
        Place(entry: .root, scope: .machine, path: "", isLookUpOnly: false, meaning: ""))

    private static func below(_ parent: Place) -> [Place] {
        parent.entry.allChildren.flatMap { entry in
            let row = entry.row
            let path = parent.path.isEmpty ? row.spelling : "\(parent.path)/\(row.spelling)"
            let scope = if case .pattern(_, let names) = row.name { names.scope } else { parent.scope }
            let place = Place(
                entry: entry, scope: scope, path: path, isLookUpOnly: row.isLookUpOnly, meaning: row.meaning)
            let ofRanges = Place(
                entry: entry, scope: .range, path: "\(path)@START-END", isLookUpOnly: true,
                meaning: "like \(row.spelling), for any range of addresses")
            return [place] + (row.isOfRanges && scope == .process ? [ofRanges] : []) + below(place)
        }
    }
}

extension Entry {
    /// What stands in the directory, in order.
    package var allChildren: [Entry] { Self.childrenTable[Int(rawValue)] }

    private static let childrenTable: [[Entry]] = allCases.map { parent in
        allCases.filter { $0.row.parents.contains(parent) }
    }

    /// The children with a fixed name. They have the scope of the directory.
    var children: [Entry] { Self.fixedTable[Int(rawValue)] }

    private static let fixedTable: [[Entry]] = childrenTable.map { $0.filter { $0.fixedName != nil } }

    func child(named name: [UInt8]) -> Entry? { children.first { $0.fixedName == name } }

    /// The child whose name is a pattern: one node for each thing of a kind.
    var namedChild: (entry: Entry, names: Names)? { Self.namedTable[Int(rawValue)] }

    private static let namedTable: [(entry: Entry, names: Names)?] = childrenTable.map { children in
        for child in children { if case .pattern(_, let names) = child.row.name { return (child, names) } }
        return nil
    }

    /// The fixed name as bytes, nil for a pattern.
    package var fixedName: [UInt8]? { Self.fixedNames[Int(rawValue)] }

    private static let fixedNames: [[UInt8]?] = allCases.map { entry in
        if case .fixed(let name) = entry.row.name { Array(name.utf8) } else { nil }
    }
}
