/// One line of /proc/PID/maps.
///
/// Source: fs/proc/task_mmu.c, show_map_vma(); proc_pid_maps(5).
package struct VMA: Equatable, Sendable {
    package let range: AddressRange
    package let permissions: Permissions
    /// Offset into the file, in bytes.
    package let offset: UInt64
    package let deviceMajor: UInt32
    package let deviceMinor: UInt32
    /// 0 if there is no file.
    package let inode: UInt64
    /// The rest of the line as printed: a newline is `\012`, and the name of a deleted file ends with a mark. Empty if the
    /// mapping has no name.
    package let text: [UInt8]

    package init(
        range: AddressRange, permissions: Permissions, offset: UInt64, deviceMajor: UInt32, deviceMinor: UInt32,
        inode: UInt64, text: [UInt8]
    ) {
        self.range = range
        self.permissions = permissions
        self.offset = offset
        self.deviceMajor = deviceMajor
        self.deviceMinor = deviceMinor
        self.inode = inode
        self.text = text
    }

    /// `r`, `w`, `x` and `s` (may share) of a mapping.
    package struct Permissions: OptionSet, Hashable, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }
        package static let read = Permissions(rawValue: 1)
        package static let write = Permissions(rawValue: 2)
        package static let execute = Permissions(rawValue: 4)
        package static let shared = Permissions(rawValue: 8)

        /// As in maps: `rw-p`.
        package var text: String {
            (contains(.read) ? "r" : "-") + (contains(.write) ? "w" : "-") + (contains(.execute) ? "x" : "-")
                + (contains(.shared) ? "s" : "p")
        }
    }

    /// Whether the mapping has a file, and so a link in map_files. Anonymous mappings, heap, stack, vdso and so on have
    /// device 0:0 and inode 0.
    package var hasFile: Bool { inode != 0 || deviceMajor != 0 || deviceMinor != 0 }

    /// Whether the mapping is in the kernel's half of the addresses, as `[vsyscall]` is. The process has no page table there.
    package var isKernelAddress: Bool { range.start >> 63 != 0 }

    /// Parses the line at the cursor and moves the cursor past the newline.
    package init(line cursor: inout ByteCursor) throws(DecodeError) {
        let end = cursor.endOfLine
        var line = ByteCursor(cursor.bytes, from: cursor.position, to: end)
        guard let low = line.hex(), line.skip(UInt8(ascii: "-")), let high = line.hex(), low < high,
            line.skip(0x20), let permissions = Permissions(line.word()), line.skip(0x20),
            let offset = line.hex(), line.skip(0x20),
            let major = line.hex(), let major = UInt32(exactly: major), line.skip(UInt8(ascii: ":")),
            let minor = line.hex(), let minor = UInt32(exactly: minor), line.skip(0x20), let inode = line.decimal()
        else { throw DecodeError("maps", at: line.position) }
        guard line.isAtEnd || line.peek == 0x20 else { throw DecodeError("maps", at: line.position) }
        line.skipPadding()
        self.init(
            range: AddressRange(low, high), permissions: permissions, offset: offset, deviceMajor: major,
            deviceMinor: minor, inode: inode, text: Array(cursor.bytes[line.position..<end]))
        cursor.position = min(end + 1, cursor.limit)
    }
}

extension VMA.Permissions {
    fileprivate init?(_ word: ArraySlice<UInt8>) {
        guard word.count == 4 else { return nil }
        self = []
        for (letter, set, permission) in zip3(word, "rwxs".utf8, [.read, .write, .execute, .shared]) {
            if letter == set {
                insert(permission)
            } else if letter != UInt8(ascii: "-"), letter != UInt8(ascii: "p") {
                return nil
            }
        }
    }
}

private func zip3(
    _ word: ArraySlice<UInt8>, _ letters: String.UTF8View, _ permissions: [VMA.Permissions]
) -> [(UInt8, UInt8, VMA.Permissions)] {
    zip(zip(word, letters), permissions).map { ($0.0, $0.1, $1) }
}

extension ByteCursor {
    /// Names are padded with blanks; a name itself may begin with any other byte.
    fileprivate mutating func skipPadding() {
        while peek == 0x20 { position += 1 }
    }
}

/// All lines of maps, in address order and without overlaps.
///
/// If mappings change meanwhile, the kernel may print a mapping again that has grown, or one that overlaps the line
/// before it. A line with the same start as the last one replaces it. Any other line that starts before the end of the
/// last one is dropped.
package func parseMaps(_ text: [UInt8]) throws(DecodeError) -> [VMA] {
    var cursor = ByteCursor(text)
    var list: [VMA] = []
    list.reserveCapacity(text.count / 64)
    while !cursor.isAtEnd {
        let vma = try VMA(line: &cursor)
        if let last = list.last, vma.range.start < last.range.end {
            if vma.range.start == last.range.start { list[list.count - 1] = vma }
        } else {
            list.append(vma)
        }
    }
    return list
}
