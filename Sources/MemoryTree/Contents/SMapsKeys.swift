import ProcModel
import ProcText

extension SMaps {
    /// The keys that kernels are known to print, in their order, without the size of the mapping.
    ///
    /// Source: proc_pid_smaps(5), Documentation/filesystems/proc.rst.
    static let keys: [Column<SMaps>] = [
        size("KernelPageSize", "page size of the kernel for the mapping"),
        size("MMUPageSize", "page size of the hardware for the mapping"),
        size("Rss", "resident memory, without hugetlb, zero page and PFN mappings"),
        size("Pss", "resident memory, each page divided by its number of mappings"),
        size("Pss_Dirty", "dirty part of Pss"),
        size("Pss_Anon", "anonymous part of Pss"),
        size("Pss_File", "file part of Pss"),
        size("Pss_Shmem", "shared memory part of Pss"),
        size("Shared_Clean", "clean pages that are mapped more than once"),
        size("Shared_Dirty", "dirty pages that are mapped more than once"),
        size("Private_Clean", "clean pages that are mapped once"),
        size("Private_Dirty", "dirty pages that are mapped once"),
        size("Referenced", "recently accessed"),
        size("Anonymous", "anonymous memory, also private copies of file pages"),
        size("KSM", "merged by KSM"),
        size("LazyFree", "freed with MADV_FREE, not yet reclaimed"),
        size("AnonHugePages", "anonymous memory, mapped with huge (PMD) entries"),
        size("ShmemPmdMapped", "shared memory, mapped with huge (PMD) entries"),
        size("FilePmdMapped", "file pages, mapped with huge (PMD) entries"),
        size("Shared_Hugetlb", "hugetlb pages that are mapped more than once; not in Rss"),
        size("Private_Hugetlb", "hugetlb pages that are mapped once; not in Rss"),
        size("Swap", "swapped out; for shared memory, also pages of the object"),
        size("SwapPss", "swapped out, each page divided by how many share it"),
        size("Locked", "locked in memory"),
        word("THPeligible", "1 if the mapping may get transparent huge pages"),
        word("ProtectionKey", "protection key, on processors that have them"),
        word("VmFlags", "flags of the mapping; the codes are listed below"),
    ]

    /// The keys that this kernel printed, in its order. Unknown ones have an empty meaning.
    var printed: [Column<SMaps>] {
        fields.map { field in
            let meaning = Self.keys.first { $0.heading.name == field.key }?.heading.meaning ?? ""
            return field.value.hasSuffix(" kB") ? Self.size(field.key, meaning) : Self.word(field.key, meaning)
        }
    }

    private static func size(_ key: String, _ meaning: String) -> Column<SMaps> {
        .size(key, meaning) { $0.kilobytes(key) }
    }

    private static func word(_ key: String, _ meaning: String) -> Column<SMaps> {
        .key(key, meaning) { .word(ifAny: $0[key]?.value) }
    }
}
