import ProcModel
import ProcSource
import ProcText
import Syscalls
import SystemPackage

/// The object behind a mapping: its raw name without the kernel's mark, and whether it is deleted.
package struct MappedObject: Equatable, Sendable {
    /// Raw bytes: path, word in brackets, or empty.
    package let name: [UInt8]
    /// nil without a file.
    package let isDeleted: Bool?

    private static let mark = Array(" (deleted)".utf8)
    private static let newline = Array("\\012".utf8)

    /// The text of maps decides unless it is ambiguous: it spells a newline `\012`, and ends in a mark that a living
    /// file's name may have too. Then the link in map_files, and the link count of what it leads to, decide.
    package init(_ vma: VMA, memory: ProcessMemory?) {
        guard vma.hasFile else {
            name = vma.text
            isDeleted = nil
            return
        }
        let link = String(range: vma.range)
        var name = vma.text
        let isMarked = name.hasSuffix(Self.mark)
        let isAmbiguous = name.contains(sequence: Self.newline)
        guard isMarked || isAmbiguous, let links = try? memory?.mapFiles() else {
            self.name = isMarked ? name.dropLast(Self.mark.count) : name
            isDeleted = isMarked
            return
        }
        if isAmbiguous, let raw = try? links.target(link) { name = raw }
        guard name.hasSuffix(Self.mark) else {
            self.name = name
            isDeleted = false
            return
        }
        let object = try? links.object(link)
        // A path that the target has chosen is followed with the daemon's own rights alone.
        let named = object?.links == 0 ? nil : try? memory?.status(atPath: name)
        let isNamedSo = named.map { $0.inode == UInt(vma.inode) && $0.inode == object?.inode ?? $0.inode } ?? false
        isDeleted = object.map { $0.links == 0 } ?? !isNamedSo
        self.name = isNamedSo && isDeleted == false ? name : name.dropLast(Self.mark.count)
    }
}

extension String {
    /// `START-END`, as the links in map_files are called.
    init(range: AddressRange) {
        var writer = LineWriter(capacity: 33)
        writer.range(range)
        self = String(decoding: writer.bytes, as: UTF8.self)
    }
}

extension [UInt8] {
    fileprivate func hasSuffix(_ suffix: [UInt8]) -> Bool {
        count >= suffix.count && self[(count - suffix.count)...].elementsEqual(suffix)
    }

    fileprivate func dropLast(_ count: Int) -> [UInt8] { Array(self[..<(self.count - count)]) }

    fileprivate func contains(sequence: [UInt8]) -> Bool {
        guard count >= sequence.count else { return false }
        return indices.dropLast(sequence.count - 1).contains {
            self[$0] == sequence[0] && self[$0...].starts(with: sequence)
        }
    }
}
