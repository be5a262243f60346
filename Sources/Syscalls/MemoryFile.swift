import CLinux
import Glibc

/// Nameless files in memory: memfd_create(2), memfd_secret(2).
package enum MemoryFile {
    /// Device numbers of the filesystems of such files: plain ones, hugetlb ones of each page size, and secret ones.
    package static var devices: [(major: UInt32, minor: UInt32)] {
        let flags = [0, hugetlb] + (16...34).map { hugetlb | $0 << sizeShift }
        return flags.compactMap { unsafe device(of: linux_memfd("", $0)) }
            + [device(of: linux_memfd_secret())].compactMap(\.self)
    }

    /// MFD_HUGETLB, and the position of the page size's binary logarithm in the flags (MFD_HUGE_SHIFT).
    private static let hugetlb: UInt32 = 4
    private static let sizeShift: UInt32 = 26

    private static func device(of number: Int32) -> (major: UInt32, minor: UInt32)? {
        guard number >= 0 else { return nil }
        let file = File(number: number)
        guard let device = try? file.status().device else { return nil }
        return (linux_major(UInt64(device)), linux_minor(UInt64(device)))
    }
}
