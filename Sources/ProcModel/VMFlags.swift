/// The two-letter codes of `VmFlags:` in smaps, and what they mean.
///
/// Source: show_smap_vma_flags() of fs/proc/task_mmu.c, Documentation/filesystems/proc.rst.
package enum VMFlags {
    package static let meanings: [(code: String, meaning: String)] = [
        ("rd", "readable"), ("wr", "writable"), ("ex", "executable"), ("sh", "shared and opened for writing"),
        ("mr", "may be made readable"), ("mw", "may be made writable"), ("me", "may be made executable"),
        ("ms", "may be shared"), ("gd", "grows down"), ("pf", "page frames without struct page"),
        ("lo", "locked in memory"), ("lf", "locked in memory on fault"), ("io", "memory-mapped I/O"),
        ("sr", "sequential read advised"), ("rr", "random read advised"), ("dc", "not copied on fork"),
        ("de", "cannot expand"), ("ac", "counted as committed"), ("nr", "no swap reserved"), ("ht", "hugetlb pages"),
        ("sf", "synchronous page fault"), ("ar", "architecture specific"), ("wf", "wiped on fork"),
        ("dd", "left out of core dumps"), ("sd", "soft-dirty"), ("mm", "pages with and without struct page"),
        ("hg", "huge pages advised"), ("nh", "no huge pages advised"), ("mg", "mergeable by KSM"),
        ("bt", "branch target identification"), ("mt", "memory tagging"), ("um", "userfaultfd missing tracking"),
        ("uw", "userfaultfd write-protect tracking"), ("ui", "userfaultfd minor faults"), ("ss", "shadow stack"),
        ("sl", "sealed"), ("dp", "droppable"), ("gu", "may have guard regions"),
        ("dw", "deny write (old kernels)"), ("nl", "non-linear (old kernels)"), ("mp", "MPX (old kernels)"),
    ]

    /// The meaning of a code; for an unknown code the code itself.
    package static func meaning(_ code: String) -> String {
        meanings.first { $0.code == code }?.meaning ?? code
    }
}
