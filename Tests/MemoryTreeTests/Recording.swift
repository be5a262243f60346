import Foundation
import ProcSource
import Syscalls

/// A directory laid out like the /proc of some machine, with one process of one mapping, whose pages are made up.
final class Recording: Sendable {
    static let process: Int32 = 4242
    static let start: UInt64 = 0x1000_0000
    /// Pages of the mapping.
    static let pages: UInt64 = 8

    let path: String
    let machine: Machine
    var range: String {
        String(Self.start, radix: 16) + "-" + String(Self.start + Self.pages * machine.pageSize, radix: 16)
    }

    /// - Parameters:
    ///   - entries: words of pagemap by number of the page in the mapping.
    ///   - flags: words of kpageflags by frame; every frame is mapped once.
    init(_ machine: Machine, entries: [UInt64: UInt64], flags: [UInt64: UInt64]) throws {
        self.machine = machine
        path = FileManager.default.temporaryDirectory.appending(path: "pagefs-recording-\(UUID())").path
        let process = "\(path)/\(Self.process)"
        for name in ["map_files", "task"] {
            try FileManager.default.createDirectory(atPath: "\(process)/\(name)", withIntermediateDirectories: true)
        }
        let own = String(decoding: try File.open("/proc/self/stat").readShort(), as: UTF8.self)
        try write("\(process)/stat", Array("\(Self.process) (recorded\(own.drop { $0 != ")" })".utf8))
        try write("\(process)/status", Array("Name:\trecorded\nTgid:\t\(Self.process)\nState:\tS (sleeping)\n".utf8))
        try write("\(process)/comm", Array("recorded\n".utf8))
        try write("\(process)/maps", Array("\(range) rw-p 00000000 00:00 0 \n".utf8))
        let first = Self.start / machine.pageSize
        var words = Dictionary(uniqueKeysWithValues: entries.map { (first + $0, $1) })
        // Holes are zeroes, and the page map goes on behind the mapping.
        words[first + Self.pages] = 0
        try write("\(process)/pagemap", words: words)
        try write("\(path)/kpageflags", words: flags)
        try write("\(path)/kpagecount", words: flags.mapValues { _ in 1 })
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    private func write(_ path: String, words: [UInt64: UInt64]) throws {
        var bytes = [UInt8](repeating: 0, count: Int(words.keys.max() ?? 0) * 8 + 8)
        for (index, word) in words {
            for byte in 0..<8 {
                let shift = machine.byteOrder == .little ? byte * 8 : 56 - byte * 8
                bytes[Int(index) * 8 + byte] = UInt8(truncatingIfNeeded: word >> UInt64(shift))
            }
        }
        try write(path, bytes)
    }

    private func write(_ path: String, _ bytes: [UInt8]) throws { try Data(bytes).write(to: URL(filePath: path)) }
}
