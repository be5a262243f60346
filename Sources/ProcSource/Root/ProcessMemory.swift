import ProcModel
import Syscalls
import SystemPackage

/// The address space of a pinned process, as the kernel shows it to one reader.
package struct ProcessMemory: Sendable {
    package let process: PinnedProcess
    /// Opened first. A reader who may open it may see everything else about the address space, too.
    package let maps: TargetFile
    private let thread: MemoryThread
    private let rights: Rights

    /// Opens maps: here the kernel decides whether the reader may look at the address space.
    package init(_ process: PinnedProcess, _ thread: MemoryThread, as rights: Rights) throws(ProcError) {
        self.process = process
        self.thread = thread
        self.rights = rights
        maps = try process.open(thread.path("maps"), as: rights)
    }

    /// The stat of the thread through which the address space is read.
    package var stat: ProcessStat { thread.stat }

    /// Opens `smaps`, `smaps_rollup` or `pagemap`; the kernel checks the reader's rights again.
    package func open(_ name: String) throws(ProcError) -> TargetFile {
        try process.open(thread.path(name), as: rights)
    }

    /// Reads the whole text of a file about the address space. If the address space ends meanwhile, the file just ends early,
    /// so this is checked afterwards.
    ///
    /// - Throws: `.gone` if the address space ended before the end of the file was reached.
    package func readAll(_ file: TargetFile) throws(ProcError) -> [UInt8] {
        let text = try file.readAll()
        try requireAlive()
        return text
    }

    /// Checks that the address space still exists.
    ///
    /// - Throws: `.gone` if it has ended.
    package func requireAlive() throws(ProcError) {
        guard try VMAQuery.isAlive(maps) else { throw .gone }
    }

    /// Path of a file below the root of /proc, such as `1234/map_files`. Threads have such directories too, although /proc
    /// does not list them.
    package func path(_ name: String) -> String { "\(thread.number ?? process.id.pid)/\(name)" }

    /// The kernel's directory of links to mapped objects.
    package func mapFiles() throws(ProcError) -> MapFiles {
        let who = rights.forMapFiles
        let directory = try process.lane.call { () throws(Errno) in
            guard let number = thread.number else {
                return try process.directory.open("map_files", .directory, as: who)
            }
            let links = try process.root.directory.open("\(number)/map_files", .directory, as: who)
            // It was opened by the thread's number alone: check that this is still a thread of the process.
            _ = try process.directory.status("task/\(number)")
            return links
        }
        return MapFiles(directory, process.lane, rights)
    }

    /// Status of the file at a path, starting at the root directory of the process; fails if there is a link on the way.
    ///
    /// Only for readers who have all rights of this daemon. The target decides where the path leads, so it could lead a
    /// thread that works for another reader to files that this reader may not see.
    package func status(atPath path: [UInt8]) throws(ProcError) -> File.Status {
        guard rights.credentials == nil, rights.mayReadLinks else { throw .refused(.permissionDenied) }
        return try process.lane.call { () throws(Errno) in
            try process.directory.status(below: "root", path: Array(path.drop { $0 == UInt8(ascii: "/") }))
        }
    }
}

/// An open /proc/PID/map_files. The kernel checks the reader's rights at each call.
package struct MapFiles: Sendable {
    private let directory: any SourceFile
    private let lane: Lane
    private let rights: Rights

    init(_ directory: any SourceFile, _ lane: Lane, _ rights: Rights) {
        self.directory = directory
        self.lane = lane
        self.rights = rights
    }

    /// The mode of a mapping's link, whose name is START-END.
    package func mode(_ name: String) throws(ProcError) -> UInt32 {
        try lane.call { () throws(Errno) in
            try directory.status(name, followLinks: false, as: rights.forMapFiles).mode
        }
    }

    /// The target of the link, as raw bytes.
    package func target(_ name: String) throws(ProcError) -> [UInt8] {
        try rights.requireLinks()
        return try lane.call { () throws(Errno) in try directory.readLink(name, as: rights.forMapFiles) }
    }

    /// Status of the mapped file. This asks its filesystem, which may have to ask a server: see `FileSystems`.
    package func object(_ name: String) throws(ProcError) -> File.Status {
        try rights.requireLinks()
        return try lane.call { () throws(Errno) in try directory.status(name, as: rights.forMapFiles) }
    }
}
