import ProcModel
import ProcText

/// A row of `layout`.
struct LayoutRow {
    let vma: VMA
    let sizes: ResidentSizes
    /// The name in by-label; nil where there is none.
    let label: [UInt8]?
    let object: MappedObject

    static let table = Table<LayoutRow>([
        Column("range", 25, .left, "start and end address, hex") { .range($0.vma.range) },
        Column("perms", 5, .left, "permissions, as in maps") { .word($0.vma.permissions.text) },
        Column("size", 10, .right, unit: "kB", "size of the mapping") { .number($0.vma.range.size / 1024) },
        Column("rss", 8, .right, unit: "kB", "resident memory (Rss of smaps)") { .number($0.sizes.rss) },
        Column("pss", 8, .right, unit: "kB", "proportional share of resident memory (Pss of smaps)") {
            .number($0.sizes.pss)
        },
        Column("uss", 8, .right, unit: "kB", "private memory: Private_Clean + Private_Dirty + Private_Hugetlb") {
            .number($0.sizes.uss)
        },
        Column("swap", 8, .right, gap: 2, unit: "kB", "swapped out (Swap of smaps)") { .number($0.sizes.swap) },
        Column("label", 16, .left, "name in by-label, or -") { $0.label.map(Cell.text) ?? .absent },
        Column("name", 0, .left, gap: 0, "path, or a name in brackets such as [heap], or -") {
            .name(ifAny: $0.object.name)
        },
    ])
}
