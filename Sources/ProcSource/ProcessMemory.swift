import ProcModel
import Syscalls
import SystemPackage

/// The address space of a pinned process, as the kernel shows it to one reader.
package struct ProcessMemory: Sendable {
    package let process: PinnedProcess
    private let thread: MemoryThread
    private let rights: Rights

    package init(_ process: PinnedProcess, _ thread: MemoryThread, as rights: Rights) {
        self.process = process
        self.thread = thread
        self.rights = rights
    }

    /// Of the thread through which it is read.
    package var stat: ProcessStat { thread.stat }

    /// Opens `maps`, `smaps`, `smaps_rollup` or `pagemap`; here the kernel decides about the right to.
    package func open(_ name: String) throws(ProcError) -> File {
        try process.open(thread.number.map { "task/\($0)/\(name)" } ?? name, as: rights)
    }

    /// Path of a file of /proc below the root, such as `1234/map_files`; threads have those too, unlisted.
    package func path(_ name: String) -> String { "\(thread.number ?? process.id.pid)/\(name)" }

    /// The kernel's directory of links to mapped objects.
    package func mapFiles() throws(ProcError) -> MapFiles {
        let who = rights.forMapFiles
        return try ProcError.wrap { () throws(Errno) in
            guard let number = thread.number else {
                return MapFiles(try File.open("map_files", .directory, at: process.directory, as: who), rights)
            }
            let links = try File.open("\(number)/map_files", .directory, at: process.root.directory, as: who)
            // Found by its number alone: still the thread of this process, or that is another's by now.
            _ = try process.directory.status("task/\(number)")
            return MapFiles(links, rights)
        }
    }

    /// What a path leads to from the root directory of the process, its last link not followed.
    ///
    /// Only for readers who have all rights of this daemon: the target chooses where the path leads, and a thread that acts
    /// for another process with the right to look at it would be led to what that process may not see.
    package func status(atPath path: [UInt8]) throws(ProcError) -> File.Status {
        guard rights.credentials == nil, rights.mayReadLinks else { throw .refused(.permissionDenied) }
        return try ProcError.wrap { () throws(Errno) in
            try process.directory.status(path: Array("root".utf8) + path, followLinks: false)
        }
    }
}

/// An open /proc/PID/map_files. The kernel decides about the right to anew with each question.
package struct MapFiles: Sendable {
    private let directory: File
    private let rights: Rights

    init(_ directory: File, _ rights: Rights) {
        self.directory = directory
        self.rights = rights
    }

    /// The mode of the link of a mapping, named START-END.
    package func mode(_ name: String) throws(ProcError) -> UInt32 {
        try ProcError.wrap { () throws(Errno) in
            try directory.status(name, followLinks: false, as: rights.forMapFiles).mode
        }
    }

    /// The raw bytes of the link.
    package func target(_ name: String) throws(ProcError) -> [UInt8] {
        try rights.requireLinks()
        return try ProcError.wrap { () throws(Errno) in try directory.readLink(name, as: rights.forMapFiles) }
    }

    /// What the link leads to.
    package func object(_ name: String) throws(ProcError) -> File.Status {
        try rights.requireLinks()
        return try ProcError.wrap { () throws(Errno) in try directory.status(name, as: rights.forMapFiles) }
    }
}
