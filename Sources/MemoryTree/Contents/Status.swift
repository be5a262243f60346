import ProcModel
import ProcSource
import ProcText
import Syscalls

/// What `status` is made from: what the daemon counts about itself, at one moment.
struct Status {
    let tree: Tree
    let cache: SnapshotCache.Counters
    let held: HandleQuota.Amount

    init(_ tree: Tree) {
        self.tree = tree
        cache = tree.cache.counters
        held = tree.quota.total
    }

    private static let indent = 38

    static var headings: [Heading] { daemon.headings + memory.headings + requests.headings + opens.headings }

    static let daemon = Report<Status>(
        [
            .count("Uptime", unit: "ms", "time since the daemon started") {
                .number((System.monotonicNanoseconds - $0.tree.statistics.start) / 1_000_000)
            },
            .count("Max_age", unit: "ms", "for how long an answer may be given again") {
                .number($0.tree.options.maximumAge)
            },
            .size("Cache_budget", "memory that kept answers may take") { UInt64($0.tree.cache.budget) / 1024 },
            .count("Cache_bytes", "memory that kept answers take, in bytes") {
                .number(UInt64(max(0, $0.cache.bytes)))
            },
            .count("Cache_hits", "answers given again") { .number($0.cache.hits) },
            .count("Cache_misses", "answers made") { .number($0.cache.misses) },
            .count("Cache_evictions", "answers dropped because the budget was used up") { .number($0.cache.evictions) },
            .count("Handles", "open files") { .number(UInt64($0.held.handles)) },
            .count("Handle_bytes", "memory that open files hold, in bytes") { .number(UInt64($0.held.bytes)) },
            .count("Threads", "threads that decode pages") { .number(UInt64($0.tree.options.threads)) },
        ], indent: indent)

    /// From /proc/self/status.
    static let memory = Report<StatusFile>(
        [
            .size("VmRSS", "resident memory of the daemon") { $0.kilobytes("VmRSS") },
            .size("VmHWM", "largest resident memory so far") { $0.kilobytes("VmHWM") },
        ], indent: indent)

    /// Repeated for each operation.
    static let requests = Report<UInt64>(
        [.count("Requests_", "one key per operation: requests of the kernel") { .number($0) }], indent: indent)

    /// Repeated for each kind of file.
    static let opens = Report<Statistics.Opens>(
        [
            .count("Opens_", "one key per kind of file: how often it was opened") { .number($0.count) },
            .count("Time_", unit: "us", "one key per kind of file: time spent on opening it") {
                .number($0.nanoseconds / 1000)
            },
        ], indent: indent)
}

extension Content {
    static let status = everybody { tree in
        var text = LineWriter()
        Status.daemon.append(Status(tree), to: &text)
        if let own = try? File.open("/proc/self/status").readAll() {
            Status.memory.append(StatusFile(own), to: &text)
        }
        for (name, count) in tree.statistics.requests { Status.requests.append(count, suffix: name, to: &text) }
        for (place, opens) in tree.statistics.opens {
            Status.opens.append(opens, suffix: String(place.path.map { $0 == "/" ? "_" : $0 }), to: &text)
        }
        return text.bytes
    }
}

extension StatusFile {
    fileprivate func kilobytes(_ key: String) -> UInt64 {
        self[key]?.split(separator: " ").first.flatMap { UInt64($0) } ?? 0
    }
}
