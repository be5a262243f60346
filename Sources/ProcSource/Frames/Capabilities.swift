import CLinux
import ProcModel
import Syscalls
import SystemPackage

/// The keys of the file `capabilities`, in the order of the file.
package enum Capability: String, CaseIterable, Sendable {
    case frames = "Frames"
    case kpageflags = "Kpageflags"
    case kpagecount = "Kpagecount"
    case kpagecgroup = "Kpagecgroup"
    case nodes = "Nodes"
    case pagemapScan = "Pagemap_scan"
    case procmapQuery = "Procmap_query"
    case guardBit = "Guard_bit"
    case softDirty = "Soft_dirty"
    case followMapFiles = "Follow_map_files"
    case pidfdInode = "Pidfd_inode"
    case allProcesses = "All_processes"
    case otherProcesses = "Other_processes"
    case correctsKsm = "Corrects_ksm"
    case correctsSlab = "Corrects_slab"
    case correctsOwner2 = "Corrects_owner_2"
}

/// What this kernel offers, what this daemon may see, and which known errors of the kernel are corrected.
/// Determined once, by trying.
package struct Capabilities: Sendable {
    /// What the daemon itself lacks, and why.
    private let missing: [Capability: String]
    private let files: FrameFiles
    package let frames: FrameContext
    package let usesScan: Bool
    package let hasQuery: Bool

    /// - Parameter scanAllowed: if false, PAGEMAP_SCAN is not used, even if the kernel has it.
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
        var missing: [Capability: String?] = [
            .frames: probe.frames,
            .nodes: nodes == nil ? "no memory blocks in sysfs" : nil,
            .pagemapScan: scan ?? (scanAllowed ? nil : "switched off with -o noscan"),
            .procmapQuery: probe.query,
            .guardBit: probe.guardBit,
            .softDirty: probe.softDirty,
            .followMapFiles: probe.follow,
            .pidfdInode: probe.pidfs,
            .correctsKsm: probe.ksmLies ? nil : "not needed: this kernel reports ksm correctly",
            .correctsSlab: hidesFlags,
            .correctsOwner2: hidesFlags,
        ]
        for (key, _, file) in Self.columns(of: files) { missing[key] = file.reason }
        self.missing = missing.compactMapValues { $0 }
    }

    /// Which facts about frames a reader may see. Frame numbers need CAP_SYS_ADMIN. A reader who has it also sees the files
    /// with a word per frame that the kernel lets them read.
    ///
    /// - Throws: an error that says nothing about the reader's rights, such as too many open files.
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
    ) -> [(key: Capability, path: WritableKeyPath<FrameView, Visibility>, file: FrameFile)] {
        [
            (.kpageflags, \.flags, files.flags), (.kpagecount, \.mapCount, files.mapCounts),
            (.kpagecgroup, \.cgroup, files.cgroups),
        ]
    }

    /// What a reader lacks, and why. What is not listed is available.
    package func facts(_ decision: AccessDecision, _ root: ProcRoot) throws(ProcError) -> [Capability: String] {
        var missing = missing
        missing[.allProcesses] = root.hiding?.options
        let hidden: String
        switch decision {
        case .refused(let refusal):
            hidden = refusal.reason
            missing[.otherProcesses] = refusal.reason
            missing[.followMapFiles] = missing[.followMapFiles] ?? refusal.reason
        case .asked(let rights):
            hidden = "needs CAP_SYS_ADMIN"
            let following: CapabilitySet = [.sysAdmin, .checkpointRestore]
            if let credentials = rights.credentials, credentials.capabilities & following.rawValue == 0 {
                missing[.followMapFiles] = "needs CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE"
            }
        }
        let view = try frameView(decision, root)
        if view.frame == .hidden {
            let ofFrames: [Capability] = [
                .frames, .kpageflags, .kpagecount, .kpagecgroup, .nodes, .correctsSlab, .correctsOwner2,
            ]
            for key in ofFrames { missing[key] = missing[key] ?? hidden }
        }
        for (key, path, file) in Self.columns(of: files) where view[keyPath: path] == .hidden {
            missing[key] = missing[key] ?? "\(file.name): \(Errno.permissionDenied)"
        }
        return missing
    }
}

extension FrameView {
    /// The same view without the right to see frames.
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
    /// Read from the links in /sys/devices/system/node; nil if there are none, or if the root is a recording.
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
