import ProcSource

extension Content {
    /// The mapping's line of /proc/PID/maps, unchanged.
    static let maps = mapping { opening, range throws(ProcError) in
        try opening.shared { () throws(ProcError) in
            try opening.tree.mappings(of: opening.process, holding: range, opening.reader).line(of: range)
        }
    }

    /// The mapping's lines of /proc/PID/smaps, unchanged.
    static let smaps = mapping { opening, range throws(ProcError) in
        try opening.shared { () throws(ProcError) in
            Array(try opening.tree.smaps(range, opening.process, opening.reader))
        }
    }
}
