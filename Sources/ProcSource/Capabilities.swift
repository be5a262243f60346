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

    package let facts: [Fact]
    package let frames: FrameContext
    package let usesScan: Bool
    package let hasQuery: Bool

    /// - Parameter scanAllowed: false leaves PAGEMAP_SCAN alone although the kernel has it.
    package init(root: ProcRoot, files: FrameFiles, scanAllowed: Bool) {
        let probe = root.isLive && root.sharesNumbers ? Probe(root, files) : Probe(recording: root)
        let nodes = NodeMap.ofThisMachine(root)
        let scan = probe.scan
        usesScan = scan == nil && scanAllowed
        hasQuery = probe.query == nil

        var view = FrameView.hidden
        if probe.frames == nil {
            view = FrameView(
                frame: .known, flags: files.flags.visibility, mapCount: files.mapCounts.visibility,
                cgroup: files.cgroups.visibility, node: nodes == nil ? .missing : .known)
        } else {
            for (path, file) in [
                (\FrameView.flags, files.flags), (\.mapCount, files.mapCounts), (\.cgroup, files.cgroups),
            ] where file.visibility == .missing { view[keyPath: path] = .missing }
            if nodes == nil { view.node = .missing }
        }
        frames = FrameContext(
            view: view, nodes: nodes ?? NodeMap(shift: 0, nodes: []), ksmLies: probe.ksmLies,
            exclusiveMeansOne: probe.exclusiveMeansOne && view.mapCount == .known,
            pageSize: System.pageSize)

        let hidesFlags = view.flags == .known ? nil : "flags are not shown"
        let missing: [String: String?] = [
            "Frames": probe.frames,
            "Kpageflags": files.flags.reason,
            "Kpagecount": files.mapCounts.reason,
            "Kpagecgroup": files.cgroups.reason,
            "Nodes": nodes == nil ? "no memory blocks in sysfs" : nil,
            "Pagemap_scan": scan ?? (scanAllowed ? nil : "switched off by noscan"),
            "Procmap_query": probe.query,
            "Guard_bit": probe.guardBit,
            "Soft_dirty": probe.softDirty,
            "Follow_map_files": probe.follow,
            "Pidfd_inode": probe.pidfs,
            "All_processes": root.hidepid,
            "Corrects_ksm": probe.ksmLies ? nil : "this kernel reports it right",
            "Corrects_slab": hidesFlags,
            "Corrects_owner_2": hidesFlags,
        ]
        facts = Self.meanings.map { Fact(key: $0.key, missing: missing[$0.key, default: nil]) }
    }

    /// The keys in order, and what `yes` means.
    package static let meanings: [(key: String, meaning: String)] = [
        ("Frames", "frame numbers are shown"),
        ("Kpageflags", "flags of frames are shown"),
        ("Kpagecount", "map counts are shown"),
        ("Kpagecgroup", "memory cgroups are shown"),
        ("Nodes", "NUMA nodes are shown"),
        ("Pagemap_scan", "holes are skipped by PAGEMAP_SCAN, not read"),
        ("Procmap_query", "a mapping is found without reading all of maps"),
        ("Guard_bit", "guard regions are told from swap by pagemap bit 58"),
        ("Soft_dirty", "pagemap reports softdirty"),
        ("Follow_map_files", "backing and map_files may be followed"),
        ("Pidfd_inode", "a process is known by its pidfd, not by its start time"),
        ("All_processes", "hidepid hides no process"),
        ("Corrects_ksm", "flag ksm is dropped: this kernel sets it on every anonymous page"),
        ("Corrects_slab", "mmap, anonymous, swapcache, ksm are dropped on slab, buddy, offline, page table pages"),
        ("Corrects_owner_2", "owner_2 on an anonymous page is spelled anon_exclusive"),
    ]
}

extension FrameFile {
    fileprivate var reason: String? {
        switch failure {
        case nil: nil
        case .absent, .gone: "this kernel has no \(name)"
        case .refused(let errno), .failed(let errno): "\(name): \(errno)"
        case .interrupted, .malformed: "\(name): unreadable"
        }
    }
}

extension ProcRoot {
    /// How this /proc hides processes, nil when it does not.
    fileprivate var hidepid: String? {
        guard let text = try? File.open("self/mountinfo", at: directory).readAll() else { return nil }
        let lines = String(decoding: text, as: UTF8.self).split(separator: "\n")
        let mount = lines.last { $0.split(separator: " ").dropFirst(4).first.map(String.init) == path }
        let options = mount?.split(separator: " ").last?.split(separator: ",") ?? []
        let hiding = options.filter { $0.hasPrefix("hidepid=") && $0 != "hidepid=0" && $0 != "hidepid=off" }
        return hiding.isEmpty
            ? nil : options.filter { $0.hasPrefix("hidepid=") || $0.hasPrefix("gid=") }.joined(separator: ",")
    }
}

extension NodeMap {
    /// From the links of /sys/devices/system/node; nil where there are none, or the root is a recording.
    fileprivate static func ofThisMachine(_ root: ProcRoot) -> NodeMap? {
        guard root.isLive,
            let size = try? File.open("/sys/devices/system/memory/block_size_bytes").readAll(),
            let blockSize = parseAddress(size.filter { $0 != 0x0a }), blockSize >= System.pageSize,
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
            ? nil : NodeMap(shift: UInt64((blockSize / System.pageSize).trailingZeroBitCount), nodes: nodes)
    }
}
