import CFuse3
import Logging
import MemoryTree
import ProcSource
import ProcText
import Syscalls
import SystemPackage

/// Answers the kernel's requests from the tree: tables, attributes, errnos; what a page is, only the tree knows.
final class Bridge: Sendable {
    private let tree: Tree
    private let inodes = InodeTable()
    private let handles = HandleTable()
    private let log: Logger
    /// Called when the kernel has greeted.
    let ready: @Sendable () -> Void

    init(_ tree: Tree, _ log: Logger, ready: @escaping @Sendable () -> Void) {
        self.tree = tree
        self.log = log
        self.ready = ready
    }

    /// Runs `body`; what it throws becomes the reply.
    func answer(_ request: Request, _ name: String, at place: Place, _ body: () throws(ProcError) -> Void) {
        tree.statistics.count(request: name)
        do { try body() } catch {
            if case .malformed(let cause) = error {
                log.error("\(name): the kernel's \(cause.file) is malformed at byte \(cause.offset)")
            }
            request.fail(error.errno(at: place))
        }
    }

    func lookup(_ request: Request, _ parent: UInt64, _ name: [UInt8]) {
        answer(request, "lookup", at: .name) { () throws(ProcError) in
            guard name.count <= maximumNameLength else { throw .failed(.fileNameTooLong) }
            let node = try tree.lookup(name, in: try inode(parent).node, for: request.reader)
            let attributes = try tree.attributes(of: node, wasFound: true, for: request.reader)
            let (number, inode) = inodes.remember(node, attributes)
            if !request.entry(number, status(number, inode, attributes), isShared: tree.access.tellsReadersApart) {
                inodes.forget(number, 1)
            }
        }
    }

    func attributes(_ request: Request, _ number: UInt64) {
        answer(request, "getattr", at: .name) { () throws(ProcError) in
            let inode = try inode(number)
            let attributes: Attributes
            do throws(ProcError) { attributes = try tree.attributes(of: inode.node, for: request.reader) } catch {
                // By its path it would not be found any more: this is a handle, whose text stays.
                guard error == .gone || error == .absent, inode.size != nil else { throw error }
                attributes = inode.attributes
            }
            request.attributes(status(number, inode, attributes))
        }
    }

    func forget(_ number: UInt64, _ lookups: UInt64) { inodes.forget(number, lookups) }

    func link(_ request: Request, _ number: UInt64) {
        answer(request, "readlink", at: .name) { () throws(ProcError) in
            request.link(try tree.target(of: try inode(number).node, for: request.reader))
        }
    }

    func open(_ request: Request, _ number: UInt64, _ info: fuse_file_info) {
        answer(request, "open", at: .name) { () throws(ProcError) in
            try request.reader.checkInterrupted()
            let holding = try tree.holdings.openHandle(for: request.reader.requester.user)
            let file = try tree.open(try inode(number).node, for: request.reader)
            try file.count(in: holding)
            inodes.opened(number, size: file.size)
            var info = info
            info.fh = handles.add(.file(file), holding)
            info.direct_io = 1
            if file.size == nil { info.nonseekable = 1 }
            if !request.opened(&info) { handles.remove(info.fh) }
        }
    }

    func read(_ request: Request, _ handle: UInt64, _ size: Int, _ offset: UInt64) {
        answer(request, "read", at: .handle) { () throws(ProcError) in
            try request.reader.checkInterrupted()
            guard case .file(let file) = handles[handle] else { throw .failed(.badFileDescriptor) }
            request.pieces(try file.read(at: offset, count: size, request.reader))
        }
    }

    func seek(_ request: Request, _ handle: UInt64, _ offset: UInt64, toData: Bool) {
        answer(request, "lseek", at: .handle) { () throws(ProcError) in
            guard case .file(let file) = handles[handle] else { throw .failed(.badFileDescriptor) }
            guard let position = file.seek(offset, toData: toData) else { throw .failed(.noSuchAddressOrDevice) }
            request.position(position)
        }
    }

    func openDirectory(_ request: Request, _ number: UInt64, _ info: fuse_file_info) {
        answer(request, "opendir", at: .name) { () throws(ProcError) in
            let (node, reader) = (try inode(number).node, request.reader)
            let holding = try tree.holdings.openHandle(for: reader.requester.user)
            let list = HandleTable.Listing(
                node: node, entries: try tree.list(node, for: reader), standing: tree.hidingStanding(reader))
            try holding.take(bytes: list.entries.reduce(0) { $0 + $1.name.count + Self.bytesPerName })
            var info = info
            info.fh = handles.add(.listing(list), holding)
            if !request.opened(&info) { handles.remove(info.fh) }
        }
    }

    /// What an entry of a listing costs beside its name.
    private static let bytesPerName = 144

    func readDirectory(_ request: Request, _ number: UInt64, _ handle: UInt64, _ size: Int, _ offset: UInt64) {
        answer(request, "readdir", at: .name) { () throws(ProcError) in
            guard case .listing(let listing) = handles[handle] else { throw .failed(.badFileDescriptor) }
            try tree.requireList(listing.node, madeFor: listing.standing, for: request.reader)
            let list = listing.entries
            var buffer = DirectoryBuffer(request, size: size)
            let names = 2 + list.count
            var index = Int(min(offset, UInt64(names)))
            while index < names {
                let (name, entry, inode): ([UInt8], Entry, UInt64) =
                    index < 2
                    ? (Array(repeating: 0x2e, count: index + 1), .root, number)
                    : (list[index - 2].name, list[index - 2].node.entry, inodes.number(of: list[index - 2].node))
                guard buffer.add(name, entry.fileType, inode, next: index + 1) else { break }
                index += 1
            }
            request.bytes(buffer.bytes)
        }
    }

    func release(_ request: Request, _ handle: UInt64) {
        tree.statistics.count(request: "release")
        handles.remove(handle)
        request.done()
    }

    func filesystem(_ request: Request) {
        tree.statistics.count(request: "statfs")
        var status = statvfs()
        status.f_bsize = UInt(System.pageSize)
        status.f_frsize = UInt(System.pageSize)
        status.f_namemax = UInt(maximumNameLength)
        request.filesystem(status)
    }

    private func inode(_ number: UInt64) throws(ProcError) -> InodeTable.Inode {
        guard let inode = inodes[number] else { throw .absent }
        return inode
    }

    private func status(_ number: UInt64, _ inode: InodeTable.Inode, _ attributes: Attributes) -> stat {
        var status = stat()
        let entry = inode.node.entry
        let size = attributes.size ?? inode.size ?? 0
        status.st_ino = UInt(number)
        status.st_mode = entry.fileType | entry.specification.mode
        status.st_nlink = entry.kind == .directory ? 2 : 1
        status.st_uid = attributes.user
        status.st_gid = attributes.group
        status.st_size = Int(size)
        status.st_blksize = Int(System.pageSize)
        status.st_blocks = entry.kind == .file ? Int(((attributes.storedBytes ?? size) + 511) / 512) : 0
        status.st_ctim = timespec(milliseconds: inode.born)
        status.st_atim = status.st_ctim
        status.st_mtim = timespec(milliseconds: inode.modified)
        return status
    }
}

/// Entries of a directory as readdir wants them.
private struct DirectoryBuffer {
    private let request: Request
    private var buffer: [UInt8]
    private var used = 0

    init(_ request: Request, size: Int) {
        self.request = request
        buffer = [UInt8](repeating: 0, count: size)
    }

    var bytes: ArraySlice<UInt8> { buffer[..<used] }

    /// False when there is no room for it.
    mutating func add(_ name: [UInt8], _ type: UInt32, _ inode: UInt64, next: Int) -> Bool {
        var status = stat()
        status.st_ino = UInt(inode)
        status.st_mode = type
        let text = name.map { CChar(bitPattern: $0) } + [0]
        let room = buffer.count - used
        let needed = unsafe buffer.withUnsafeMutableBytes { bytes in
            let place = unsafe bytes.baseAddress.map { unsafe ($0 + used).assumingMemoryBound(to: CChar.self) }
            return unsafe fuse_add_direntry(request.raw, place, room, text, &status, off_t(next))
        }
        guard needed <= room else { return false }
        used += needed
        return true
    }
}

extension Entry {
    /// The type bits of st_mode.
    fileprivate var fileType: UInt32 {
        switch kind {
        case .directory: 0o040000
        case .file: 0o100000
        case .link: 0o120000
        }
    }
}

extension timespec {
    fileprivate init(milliseconds: UInt64) {
        self.init(tv_sec: Int(milliseconds / 1000), tv_nsec: Int(milliseconds % 1000) * 1_000_000)
    }
}
