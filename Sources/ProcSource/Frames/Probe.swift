import CLinux
import ProcModel
import Syscalls
import SystemPackage

/// Tests on this process what the kernel offers. Each text is nil if the feature is there, else the reason why not.
struct Probe {
    var frames: String? = "pagemap hides frame numbers without CAP_SYS_ADMIN"
    var scan: String?
    var query: String?
    var guardBit: String?
    var softDirty: String?
    var follow: String?
    var pidfs: String?
    /// The kernel reports KSM on a fresh private page, which KSM cannot have merged.
    var ksmLies = false
    /// For a fresh private page pagemap has the exclusive bit, and its map count is 1.
    var exclusiveMeansOne = false

    init(_ root: ProcRoot, _ files: FrameFiles) {
        let own = "\(PID.own)"
        guard let pagemap = try? root.directory.open("\(own)/pagemap") else {
            let reason = "pagemap cannot be opened"
            (frames, scan, query, guardBit, softDirty, follow) = (reason, reason, reason, reason, reason, reason)
            return
        }
        let pageSize = root.machine.pageSize
        let word = System.withPage(written: true, guarded: false) { address, _ in
            var words: [UInt64] = [0]
            _ = try? pagemap.readWords(at: address / pageSize, into: &words, 0..<1, .host)
            var flags: [UInt64] = [0]
            let frame = PageMapEntry(rawValue: words[0]).frame
            var counts: [UInt64] = [0]
            if frame != .hidden {
                try? files.flags.words.read(frame, into: &flags, 0..<1)
                try? files.mapCounts.words.read(frame, into: &counts, 0..<1)
            }
            let entry = PageMapEntry(rawValue: words[0])
            return (entry: entry, flags: PageFlags(rawValue: flags[0]), count: counts[0])
        }
        if let word {
            if word.entry.frame != .hidden { frames = nil }
            ksmLies = word.flags.contains(.ksm)
            exclusiveMeansOne = word.entry.isExclusiveAnonymous && word.count == 1
            if word.entry.rawValue & PageMapEntry.softDirtyBit == 0 { softDirty = "not built into this kernel" }
        }

        let guarded = System.withPage(written: false, guarded: true) { address, installed in
            var words: [UInt64] = [0]
            _ = try? pagemap.readWords(at: address / pageSize, into: &words, 0..<1, .host)
            return (installed: installed, entry: PageMapEntry(rawValue: words[0]))
        }
        if let guarded, guarded.installed {
            if guarded.entry.state != .guard { guardBit = "this kernel does not report guard regions" }
        } else {
            guardBit = "this kernel has no guard regions"
        }

        var argument = linux_scan()
        argument.size = UInt64(MemoryLayout<linux_scan>.size)
        argument.category_anyof_mask = ScanCategory.present | ScanCategory.swapped
        argument.return_mask = ScanCategory.present | ScanCategory.swapped | ScanCategory.zero | ScanCategory.huge
        do { _ = try pagemap.scan(&argument) } catch { scan = "PAGEMAP_SCAN: \(error)" }

        if let maps = try? root.pin(.own).open("maps") {
            do { _ = try VMAQuery.mapping(holding: 0, in: maps) } catch { query = "this kernel has no PROCMAP_QUERY" }
        }
        follow = Self.followFailure(own, root)
        if let handle = try? root.source.handle(of: .own), handle.filesystemType != File.pidfsMagic {
            pidfs = "this kernel has no pidfs"
        }
    }

    /// For a recording, or a /proc with other process numbers than ours: there the tests on this process are not possible.
    init(recording root: ProcRoot) {
        let reason = root.isLive ? "not with a /proc of another pid namespace" : "not with a recording"
        scan = root.isLive ? nil : reason
        query = root.isLive ? nil : reason
        pidfs = reason
        // Everyone sees kpageflags in the listing, but only those who may see frames can open it.
        if (try? root.open("kpageflags")) != nil { frames = nil }
    }

    private static func followFailure(_ own: String, _ root: ProcRoot) -> String? {
        guard let links = try? root.directory.open("\(own)/map_files", .directory),
            let first = try? links.list().first
        else { return "map_files cannot be listed" }
        do { _ = try links.status(String(decoding: first, as: UTF8.self)) } catch { return "map_files: \(error)" }
        return nil
    }
}
