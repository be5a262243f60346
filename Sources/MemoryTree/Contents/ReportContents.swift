import ProcSource

extension Content {
    static let readme = everybody { _ in Handbook.readme }
    static let legend = everybody { _ in Handbook.legend }
    static let status = everybody { $0.statusText() }
    static let capabilities = reader { tree, view throws(ProcError) in
        Handbook.capabilities(try tree.capabilities.facts(view.decision, tree.root))
    }
    /// Made anew each time: the kernel is asked about the link to the executable when that is read.
    static let processInfo = process { tree, process, view throws(ProcError) in try tree.processInfo(process, view) }
    static let mappingInfo = mapping { opening, range throws(ProcError) in
        try opening.shared { () throws(ProcError) in
            try opening.tree.mappingInfo(range, opening.process, opening.reader)
        }
    }
    static let summary = memory { opening throws(ProcError) in try opening.summary() }
    static let maps = mapping { opening, range throws(ProcError) in
        try opening.shared { () throws(ProcError) in
            try opening.tree.mappings(of: opening.process, holding: range, opening.reader).line(of: range)
        }
    }
    static let smaps = mapping { opening, range throws(ProcError) in
        try opening.shared { () throws(ProcError) in
            Array(try opening.tree.smaps(range, opening.process, opening.reader))
        }
    }
}

extension Opening {
    /// Totals, of which those of smaps are shown also where pagemap may not be read: of a process of one's own that is not
    /// dumpable. Such a text is not kept, so that the right to pagemap is asked for each time.
    fileprivate func summary() throws(ProcError) -> OpenFile {
        let walk: PageWalk?
        do { walk = try self.walk() } catch {
            guard case .refused = error else { throw error }
            return .frozen(FrozenText(try summary(nil)))
        }
        return try shared { () throws(ProcError) in try summary(walk) }
    }

    private func summary(_ walk: PageWalk?) throws(ProcError) -> [UInt8] {
        guard case .mapping(let range) = node.scope.part else {
            return try tree.processSummary(process, walk, reader)
        }
        return try tree.mappingSummary(range, process, walk, reader)
    }
}
