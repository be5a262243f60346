import ProcModel
import Syscalls
import SystemPackage

/// The address space of a pinned process, as the kernel shows it to one reader.
package struct ProcessMemory: Sendable {
    package let process: PinnedProcess
    /// Opened first: everything else about the address space may be shown to the same reader.
    package let maps: TargetFile
    private let thread: MemoryThread
    private let rights: Rights

    /// Here the kernel decides about the right to look at the address space.
    package init(_ process: PinnedProcess, _ thread: MemoryThread, as rights: Rights) throws(ProcError) {
        self.process = process
        self.thread = thread
        self.rights = rights
        maps = try process.open(thread.path("maps"), as: rights)
    }

    /// Of the thread through which it is read.
    package var stat: ProcessStat { thread.stat }

    /// Opens `smaps`, `smaps_rollup` or `pagemap`; here the kernel decides about the right to.
    package func open(_ name: String) throws(ProcError) -> TargetFile {
        try process.open(thread.path(name), as: rights)
    }

    /// All of a text about the address space. The end of a file of /proc proves nothing: one of an address space that is no
    /// more ends early.
    ///
    /// - Throws: `.gone` when the address space was no more before the end was reached.
    package func readAll(_ file: TargetFile) throws(ProcError) -> [UInt8] {
        let text = try file.readAll()
        try requireAlive()
        return text
    }

    /// - Throws: `.gone` when the address space is no more.
    package func requireAlive() throws(ProcError) {
        guard try VMAQuery.isAlive(maps) else { throw .gone }
    }

    /// Path of a file of /proc below the root, such as `1234/map_files`; threads have those too, unlisted.
    package func path(_ name: String) -> String { "\(thread.number ?? process.id.pid)/\(name)" }

    /// The kernel's directory of links to mapped objects.
    package func mapFiles() throws(ProcError) -> MapFiles {
        let who = rights.forMapFiles
        let directory = try process.lane.call { () throws(Errno) in
            guard let number = thread.number else {
                return try process.directory.open("map_files", .directory, as: who)
            }
            let links = try process.root.directory.open("\(number)/map_files", .directory, as: who)
            // Found by its number alone: still the thread of this process, or that is another's by now.
            _ = try process.directory.status("task/\(number)")
            return links
        }
        return MapFiles(directory, process.lane, rights)
    }

    /// What a path without links leads to from the root directory of the process.
    ///
    /// Only for readers who have all rights of this daemon: the target chooses where the path leads, and a thread that acts
    /// for another process with the right to look at it would be led to what that process may not see.
    package func status(atPath path: [UInt8]) throws(ProcError) -> File.Status {
        guard rights.credentials == nil, rights.mayReadLinks else { throw .refused(.permissionDenied) }
        return try process.lane.call { () throws(Errno) in
            try process.directory.status(below: "root", path: Array(path.drop { $0 == UInt8(ascii: "/") }))
        }
    }
}

/// An open /proc/PID/map_files. The kernel decides about the right to anew with each question.
package struct MapFiles: Sendable {
    private let directory: any SourceFile
    private let lane: Lane
    private let rights: Rights

    init(_ directory: any SourceFile, _ lane: Lane, _ rights: Rights) {
        self.directory = directory
        self.lane = lane
        self.rights = rights
    }

    /// The mode of the link of a mapping, named START-END.
    package func mode(_ name: String) throws(ProcError) -> UInt32 {
        try lane.call { () throws(Errno) in
            try directory.status(name, followLinks: false, as: rights.forMapFiles).mode
        }
    }

    /// The raw bytes of the link.
    package func target(_ name: String) throws(ProcError) -> [UInt8] {
        try rights.requireLinks()
        return try lane.call { () throws(Errno) in try directory.readLink(name, as: rights.forMapFiles) }
    }

    /// What the link leads to; asks the file system of that: see `FileSystems`.
    package func object(_ name: String) throws(ProcError) -> File.Status {
        try rights.requireLinks()
        return try lane.call { () throws(Errno) in try directory.status(name, as: rights.forMapFiles) }
    }
}
