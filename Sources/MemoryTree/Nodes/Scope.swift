import ProcModel
import ProcSource

/// What a node is about.
package enum Scope: Hashable, Sendable {
    case machine
    case process(ProcessID)
    case mapping(ProcessID, AddressRange)
    /// Any addresses of a process, whatever is mapped there.
    case range(ProcessID, AddressRange)
    /// The mapping that holds an address.
    case address(ProcessID, UInt64)
    /// The mapping of a name in by-label.
    case label(ProcessID, [UInt8])
    /// The processes of a name in by-name.
    case name([UInt8])
    /// One process among those of its name.
    case named(ProcessID, [UInt8])

    /// Which of these it is.
    package enum Kind: Hashable, Sendable {
        case machine, process, mapping, range, address, label, name, named
    }

    package var kind: Kind {
        switch self {
        case .machine: .machine
        case .process: .process
        case .mapping: .mapping
        case .range: .range
        case .address: .address
        case .label: .label
        case .name: .name
        case .named: .named
        }
    }

    /// nil for a node that belongs to no process.
    package var process: ProcessID? {
        switch self {
        case .machine, .name: nil
        case .process(let process), .mapping(let process, _), .range(let process, _), .address(let process, _),
            .label(let process, _), .named(let process, _):
            process
        }
    }

    /// The part of an address space that a file is about; nil where it is about none.
    var part: AddressSpacePart? {
        switch self {
        case .mapping(_, let range): .mapping(range)
        case .range(_, let range): .range(range)
        case .process: .all
        case .machine, .address, .label, .name, .named: nil
        }
    }
}

/// A part of an address space.
enum AddressSpacePart: Sendable {
    case all
    case mapping(AddressRange)
    /// The mapped part of a range.
    case range(AddressRange)
}
