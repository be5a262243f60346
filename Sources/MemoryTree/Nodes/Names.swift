import ProcModel
import ProcSource
import ProcText

extension Names {
    /// Numbers of processes.
    static let processes = Names(
        scope: .process,
        guess: { _, _ in nil },
        find: { tree, name, _, reader throws(ProcError) in
            guard let pid = PID(parsing: name) else { throw .absent }
            return .process(try tree.processToStat(pid, reader).id)
        },
        list: { tree, _, reader throws(ProcError) in
            try tree.numbers(reader).map { (Array("\($0)".utf8), .process(ProcessID(pid: $0, birth: 0))) }
        })

    /// Names of processes.
    static let commands = Names(
        scope: .name,
        guess: { _, _ in nil },
        find: { tree, name, _, reader throws(ProcError) in
            guard try tree.isName(name, reader) else { throw .absent }
            return .name(name)
        },
        list: { tree, _, reader throws(ProcError) in
            var seen: Set<[UInt8]> = []
            return try tree.names(reader).compactMap {
                seen.insert($0.name).inserted ? ($0.name, .name($0.name)) : nil
            }
        })

    /// Numbers of the processes of a name.
    static let processesOfCommand = Names(
        scope: .named,
        guess: { _, _ in nil },
        find: { tree, name, parent, reader throws(ProcError) in
            guard case .name(let command) = parent.scope, let pid = PID(parsing: name),
                let process = try tree.named(pid, reader), process.name == command
            else { throw .absent }
            return .named(process.id, command)
        },
        list: { tree, parent, reader throws(ProcError) in
            guard case .name(let command) = parent.scope else { throw .absent }
            return try tree.names(reader).filter { $0.name == command }.map {
                (Array("\($0.id.pid)".utf8), .named($0.id, command))
            }
        })

    /// Ranges of mappings, as in map_files.
    static let mappings = Names(
        scope: .mapping,
        guess: { name, parent in
            guard let process = parent.process else { return nil }
            return AddressRange(parsing: name).map { .mapping(process, $0) }
        },
        find: { tree, name, parent, reader throws(ProcError) in
            guard let process = parent.process, let range = AddressRange(parsing: name) else { throw .absent }
            try tree.requireMapping(range, of: process, reader)
            return .mapping(process, range)
        },
        list: { tree, parent, reader throws(ProcError) in
            let opened = try tree.opened(parent.process, reader)
            return try tree.mappings(of: opened, reader).list.map {
                ($0.range.name, .mapping(opened.process.id, $0.range))
            }
        })

    /// Addresses.
    static let addresses = Names(
        scope: .address,
        guess: { name, parent in
            guard let process = parent.process else { return nil }
            return parseAddress(name).map { .address(process, $0) }
        },
        find: { tree, name, parent, reader throws(ProcError) in
            guard let process = parent.process, let address = parseAddress(name) else { throw .absent }
            _ = try tree.mapping(holding: address, of: try tree.opened(process, reader), reader)
            return .address(process, address)
        },
        list: nil)

    /// Labels of mappings.
    static let labels = Names(
        scope: .label,
        guess: { name, parent in parent.process.map { .label($0, name) } },
        find: { tree, name, parent, reader throws(ProcError) in
            let opened = try tree.opened(parent.process, reader)
            guard try tree.labels(of: opened, reader).mapping(labelled: name) != nil else { throw .absent }
            return .label(opened.process.id, name)
        },
        list: { tree, parent, reader throws(ProcError) in
            let opened = try tree.opened(parent.process, reader)
            return try tree.labels(of: opened, reader).labels.compactMap { label in
                label.map { ($0, .label(opened.process.id, $0)) }
            }
        })
}
