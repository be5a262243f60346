import ProcSource

extension Content {
    /// The kernel's own line about a mapping.
    static let maps = mapping { opening, range throws(ProcError) in
        try opening.shared { () throws(ProcError) in
            try opening.tree.mappings(of: opening.process, holding: range, opening.reader).line(of: range)
        }
    }

    /// The kernel's own lines about a mapping.
    static let smaps = mapping { opening, range throws(ProcError) in
        try opening.shared { () throws(ProcError) in
            Array(try opening.tree.smaps(range, opening.process, opening.reader))
        }
    }
}
