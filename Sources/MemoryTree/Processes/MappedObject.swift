import ProcModel
import ProcSource
import ProcText
import Syscalls
import SystemPackage

/// The object behind a mapping: its raw name without the kernel's mark ` (deleted)`, and whether it is deleted.
package struct MappedObject: Equatable, Sendable {
    /// Raw bytes: path, word in brackets, or empty.
    package let name: [UInt8]
    /// nil where there is no file, or its file system must not be asked.
    package let isDeleted: Bool?

    private static let mark = Array(" (deleted)".utf8)
    private static let newline = Array("\\012".utf8)

    /// The text of maps decides unless it is ambiguous. It is ambiguous if it has `\012`, which may stand for a
    /// newline, or ends in ` (deleted)`, as the name of an existing file may too. Then the link in map_files and the
    /// link count of its target decide. A file system that may never answer is not asked.
    ///
    /// - Parameter fileSystems: the file systems of the process, if the caller has them. Called only where they matter.
    /// - Throws: failures that say nothing about the file: see `ProcError.throwIfUnanswered`.
    package init(_ vma: VMA, memory: ProcessMemory?, _ fileSystems: (() throws(ProcError) -> FileSystems)? = nil)
        throws(ProcError)
    {
        guard vma.hasFile else {
            self.init(unasked: vma)
            return
        }
        let link = String(range: vma.range)
        var name = vma.text
        let isMarked = name.hasSuffix(Self.mark)
        let isAmbiguous = name.contains(sequence: Self.newline)
        guard isMarked || isAmbiguous, let memory,
            let links = try Self.answer({ () throws(ProcError) in try memory.mapFiles() })
        else {
            self.init(unasked: vma)
            return
        }
        if isAmbiguous, let raw = try Self.answer({ () throws(ProcError) in try links.target(link) }) { name = raw }
        guard name.hasSuffix(Self.mark) else {
            self.init(name: name, isDeleted: false)
            return
        }
        let fileSystems = if let fileSystems { try fileSystems() } else { try FileSystems(of: memory.process) }
        guard fileSystems.answers(for: vma) else {
            self.init(name: name.dropLast(Self.mark.count), isDeleted: nil)
            return
        }
        let object = try Self.answer { () throws(ProcError) in try links.object(link) }
        // The target chose this path, so it is followed only with the daemon's own rights.
        let isAsked = object?.links != 0 && fileSystems.answers(forPath: name)
        let path = name
        let named = isAsked ? try Self.answer { () throws(ProcError) in try memory.status(atPath: path) } : nil
        let isNamedSo = named.map { $0.inode == UInt(vma.inode) && $0.inode == object?.inode ?? $0.inode } ?? false
        let isDeleted = object.map { $0.links == 0 } ?? !isNamedSo
        self.init(
            name: isNamedSo && !isDeleted ? name : name.dropLast(Self.mark.count), isDeleted: isDeleted)
    }

    private init(name: [UInt8], isDeleted: Bool?) {
        self.name = name
        self.isDeleted = isDeleted
    }

    /// Decides by the text of maps alone.
    init(unasked vma: VMA) {
        let isMarked = vma.hasFile && vma.text.hasSuffix(Self.mark)
        name = isMarked ? vma.text.dropLast(Self.mark.count) : vma.text
        isDeleted = vma.hasFile ? isMarked : nil
    }

    /// The kernel's answer; nil where it refuses, the object is gone, or the disk that the file is on fails (EIO).
    private static func answer<Value>(_ ask: () throws(ProcError) -> Value) throws(ProcError) -> Value? {
        do { return try ask() } catch {
            if error == .failed(.ioError) { return nil }
            try error.throwIfUnanswered()
            return nil
        }
    }
}

extension String {
    /// `START-END` in hex, as the links in map_files are named.
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
