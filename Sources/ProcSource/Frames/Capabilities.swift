import CLinux
import ProcModel
import Syscalls
import SystemPackage

/// What this kernel offers, what this daemon may see, and which of the kernel's known lies are corrected.
/// Found out once, by trying.
package struct Capabilities: Sendable {
    /// One line of the file `capabilities`.
    package struct Fact: Sendable {
        package let key: String
        /// Why not; nil when it is there.
        package let missing: String?
    }

    /// What is missing to the daemon itself, by key.
    private let missing: [String: String]
    private let files: FrameFiles
    package let frames: FrameContext
    package let usesScan: Bool
    package let hasQuery: Bool

    /// - Parameter scanAllowed: false leaves PAGEMAP_SCAN alone although the kernel has it.
    package init(root: ProcRoot, files: FrameFiles, scanAllowed: Bool) {
        let probe = root.isLive && root.sharesNumbers ? Probe(root, files) : Probe(recording: root)
        let nodes = NodeMap.ofThisMachine(root)
        let scan = probe.scan
        self.files = files
        usesScan = scan == nil && scanAllowed
        hasQuery = probe.query == nil

        var view = FrameView.hidden
        if probe.frames == nil {
            view = FrameView(
                frame: .known, flags: files.flags.visibility, mapCount: files.mapCounts.visibility,
                cgroup: files.cgroups.visibility, node: nodes == nil ? .missing : .known)
        } else {
            for (_, path, file) in Self.columns(of: files) where file.visibility == .missing {
                view[keyPath: path] = .missing
            }
            if nodes == nil { view.node = .missing }
        }
        frames = FrameContext(
            view: view, nodes: nodes ?? NodeMap(shift: 0, nodes: []), ksmLies: probe.ksmLies,
            exclusiveMeansOne: probe.exclusiveMeansOne && view.mapCount == .known,
            pageSize: root.machine.pageSize)

        let hidesFlags = view.flags == .known ? nil : "flags are not shown"
        var missing: [String: String?] = [
            "Frames": probe.frames,
            "Nodes": nodes == nil ? "no memory blocks in sysfs" : nil,
            "Pagemap_scan": scan ?? (scanAllowed ? nil : "switched off with -o noscan"),
            "Procmap_query": probe.query,
            "Guard_bit": probe.guardBit,
            "Soft_dirty": probe.softDirty,
            "Follow_map_files": probe.follow,
            "Pidfd_inode": probe.pidfs,
            "Corrects_ksm": probe.ksmLies ? nil : "not needed: this kernel reports ksm correctly",
            "Corrects_slab": hidesFlags,
            "Corrects_owner_2": hidesFlags,
        ]
        for (key, _, file) in Self.columns(of: files) { missing[key] = file.reason }
        self.missing = missing.compactMapValues { $0 }
    }

    /// Which facts about frames a reader may see: frame numbers with CAP_SYS_ADMIN, and with them what the kernel lets him
    /// read of the files that have a word per frame.
    ///
    /// - Throws: a lack of descriptors, which says nothing about that.
    package func frameView(_ decision: AccessDecision, _ root: ProcRoot) throws(ProcError) -> FrameView {
        var view = frames.view
        guard case .asked(let rights) = decision else { return view.hidingFrames }
        guard view.frame == .known, let credentials = rights.credentials else { return view }
        guard credentials.capabilities & CapabilitySet.sysAdmin.rawValue != 0 else { return view.hidingFrames }
        for (_, path, file) in Self.columns(of: files) where view[keyPath: path] == .known {
            do { _ = try root.open(file.name, as: rights) } catch {
                try error.throwIfUnanswered()
                view[keyPath: path] = .hidden
            }
        }
        return view
    }

    private static func columns(
        of files: FrameFiles
    ) -> [(key: String, path: WritableKeyPath<FrameView, Visibility>, file: FrameFile)] {
        [
            ("Kpageflags", \.flags, files.flags), ("Kpagecount", \.mapCount, files.mapCounts),
            ("Kpagecgroup", \.cgroup, files.cgroups),
        ]
    }

    /// Every key, with the reason where it is missing to a reader.
    package func facts(_ decision: AccessDecision, _ root: ProcRoot) throws(ProcError) -> [Fact] {
        var missing = missing
        missing["All_processes"] = root.hiding?.options
        let hidden: String
        switch decision {
        case .refused(let refusal):
            hidden = refusal.reason
            missing["Other_processes"] = refusal.reason
            missing["Follow_map_files"] = missing["Follow_map_files"] ?? refusal.reason
        case .asked(let rights):
            hidden = "needs CAP_SYS_ADMIN"
            let following: CapabilitySet = [.sysAdmin, .checkpointRestore]
            if let credentials = rights.credentials, credentials.capabilities & following.rawValue == 0 {
                missing["Follow_map_files"] = "needs CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE"
            }
        }
        let view = try frameView(decision, root)
        if view.frame == .hidden {
            for key in [
                "Frames", "Kpageflags", "Kpagecount", "Kpagecgroup", "Nodes", "Corrects_slab", "Corrects_owner_2",
            ] {
                missing[key] = missing[key] ?? hidden
            }
        }
        for (key, path, file) in Self.columns(of: files) where view[keyPath: path] == .hidden {
            missing[key] = missing[key] ?? "\(file.name): \(Errno.permissionDenied)"
        }
        return Self.meanings.map { Fact(key: $0.key, missing: missing[$0.key]) }
    }

    /// The keys in order, and what `yes` means.
    package static let meanings: [(key: String, meaning: String)] = [
        ("Frames", "frame numbers are shown"),
        ("Kpageflags", "flags of frames are shown"),
        ("Kpagecount", "map counts are shown"),
        ("Kpagecgroup", "memory cgroups are shown"),
        ("Nodes", "NUMA nodes are shown"),
        ("Pagemap_scan", "holes are skipped with PAGEMAP_SCAN"),
        ("Procmap_query", "a mapping is found with PROCMAP_QUERY, without reading all of maps"),
        ("Guard_bit", "guard regions are recognised by pagemap bit 58"),
        ("Soft_dirty", "pagemap reports softdirty"),
        ("Follow_map_files", "the links backing and map_files can be followed"),
        ("Pidfd_inode", "processes are identified by the inode of a pidfd, not by start time"),
        ("All_processes", "hidepid hides no process"),
        ("Other_processes", "other processes are shown as far as the kernel allows; no: at most your own process"),
        ("Corrects_ksm", "ksm is dropped: this kernel sets it on every anonymous page"),
        ("Corrects_slab", "mmap, anonymous, swapcache, ksm are dropped on slab, buddy, offline, page table pages"),
        ("Corrects_owner_2", "owner_2 on an anonymous page is shown as anon_exclusive"),
    ]
}

extension FrameView {
    /// The same without the right to see frames.
    fileprivate var hidingFrames: FrameView {
        func hiding(_ visibility: Visibility) -> Visibility { visibility == .missing ? .missing : .hidden }
        return FrameView(
            frame: .hidden, flags: hiding(flags), mapCount: hiding(mapCount), cgroup: hiding(cgroup),
            node: hiding(node))
    }
}

extension FrameFile {
    fileprivate var reason: String? {
        switch failure {
        case nil: nil
        case .absent, .gone: "this kernel has no \(name)"
        case .refused(let errno), .failed(let errno): "\(name): \(errno)"
        case .interrupted, .mustWait, .malformed: "\(name): cannot be read"
        }
    }
}

extension NodeMap {
    /// From the links of /sys/devices/system/node; nil where there are none, or the root is a recording.
    fileprivate static func ofThisMachine(_ root: ProcRoot) -> NodeMap? {
        guard root.isLive,
            let size = try? File.open("/sys/devices/system/memory/block_size_bytes").readAll(),
            let blockSize = parseAddress(size.filter { $0 != 0x0a }), blockSize >= root.machine.pageSize,
            let directory = try? File.open("/sys/devices/system/node", .directory), let names = try? directory.list()
        else { return nil }
        var nodes: [Int16] = []
        for name in names where name.starts(with: "node".utf8) {
            var cursor = ByteCursor(name, from: 4)
            guard let node = cursor.decimal(), cursor.isAtEnd, let node = Int16(exactly: node),
                let entries = try? File.open("node\(node)", .directory, at: directory).list()
            else { continue }
            for entry in entries where entry.starts(with: "memory".utf8) {
                var cursor = ByteCursor(entry, from: 6)
                guard let block = cursor.decimal(), cursor.isAtEnd, let block = Int(exactly: block) else { continue }
                if block >= nodes.count { nodes += Array(repeating: -1, count: block + 1 - nodes.count) }
                nodes[block] = node
            }
        }
        return nodes.isEmpty
            ? nil : NodeMap(shift: UInt64((blockSize / root.machine.pageSize).trailingZeroBitCount), nodes: nodes)
    }
}
