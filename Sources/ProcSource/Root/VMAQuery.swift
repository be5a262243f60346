import CLinux
import ProcModel
import Syscalls
import SystemPackage

/// Questions about an open /proc/PID/maps that PROCMAP_QUERY answers, without reading its text.
package enum VMAQuery {
    private static let coveringOrNext: UInt64 = 0x10

    /// What the kernel says about a mapping.
    package struct Answer: Sendable {
        package let range: AddressRange
        /// See `VMA.hasFile`.
        package let hasFile: Bool
    }

    /// The mapping that contains the address; nil if there is none.
    ///
    /// - Throws: `.gone` if the address space has ended; `.failed(.inappropriateIOCTLForDevice)` (ENOTTY) on a kernel
    ///   without PROCMAP_QUERY.
    package static func mapping(holding address: UInt64, in maps: TargetFile) throws(ProcError) -> Answer? {
        var query = linux_vma_query()
        query.query_addr = address
        do { try maps.query(&query) } catch {
            if error == .absent { return nil }
            throw error
        }
        return Answer(
            range: AddressRange(query.vma_start, query.vma_end),
            hasFile: query.inode != 0 || query.dev_major != 0 || query.dev_minor != 0)
    }

    /// An address above all mappings: a query there locks no mapping.
    private static let beyond: UInt64 = 0x7fff_ffff_ffff_f000

    /// Whether a process still uses the address space for which maps was opened. Since 6.17, where the query locks single
    /// mappings, the answer comes even while the mmap lock is held.
    package static func isAlive(_ maps: TargetFile) throws(ProcError) -> Bool {
        var query = linux_vma_query()
        query.query_flags = coveringOrNext
        query.query_addr = beyond
        do { try maps.query(&query) } catch {
            try error.throwIfUnanswered()
            switch error {
            case .gone: return false
            case .absent: return true
            default: return try !maps.read(at: 0, count: 64).isEmpty
            }
        }
        return true
    }
}
