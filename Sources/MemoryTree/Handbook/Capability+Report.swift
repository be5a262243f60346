import ProcSource
import ProcText

extension Capability {
    /// The file `capabilities`. It is made from what is missing, with the reason for each.
    static let report = Report<[Capability: String]>(
        allCases.map { capability in
            .key(capability.rawValue, capability.meaning) { missing in
                .word(missing[capability].map { "no (\($0))" } ?? "yes")
            }
        }, indent: nil)

    /// What `yes` means.
    private var meaning: String {
        switch self {
        case .frames: "frame numbers are shown"
        case .kpageflags: "flags of frames are shown"
        case .kpagecount: "map counts are shown"
        case .kpagecgroup: "memory cgroups are shown"
        case .nodes: "NUMA nodes are shown"
        case .pagemapScan: "holes are skipped with PAGEMAP_SCAN"
        case .procmapQuery: "a mapping is found with PROCMAP_QUERY, without reading all of maps"
        case .guardBit: "guard regions are recognised by pagemap bit 58"
        case .softDirty: "pagemap reports softdirty"
        case .followMapFiles: "the links backing and map_files can be followed"
        case .pidfdInode: "processes are identified by the inode of a pidfd, not by start time"
        case .allProcesses: "hidepid hides no process"
        case .otherProcesses: "other processes are shown as far as the kernel allows; no: at most your own process"
        case .correctsKsm: "ksm is dropped: this kernel sets it on every anonymous page"
        case .correctsSlab: "mmap, anonymous, swapcache, ksm are dropped on slab, buddy, offline, page table pages"
        case .correctsOwner2: "owner_2 on an anonymous page is shown as anon_exclusive"
        }
    }
}

extension Content {
    static let capabilities = reader { tree, view throws(ProcError) in
        var text = LineWriter()
        Capability.report.append(try tree.capabilities.facts(view.decision, tree.root), to: &text)
        return text.bytes
    }
}
