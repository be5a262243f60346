import CFuse3
import Logging
import MemoryTree
import ProcSource
import Syscalls
import SystemPackage

/// Answers the kernel's requests from the tree. It has the tables of inodes and handles, and makes attributes and
/// errnos. What a page is, only the tree knows.
final class Bridge: Sendable {
    let tree: Tree
    private let inodes = InodeTable()
    private let handles = HandleTable()
    let jobs = Jobs()
    /// LOOKUP and GETATTR requests under way. The kernel holds locks of directories and files until they are answered.
    let hurried = Hurried()
    let log: Logger
    /// Called when the kernel has sent INIT: the mount is ready.
    let ready: @Sendable () -> Void
    /// Runs work that had to wait, on a thread that may wait. Takes the user that the work is for. Set by
    /// `FuseSession`.
    let resume = Monitor<(@Sendable (UInt32, @escaping @Sendable () -> Void) -> Void)?>(nil)

    init(_ tree: Tree, _ log: Logger, ready: @escaping @Sendable () -> Void) {
        self.tree = tree
        self.log = log
        self.ready = ready
        tree.whenIdle { [tree, inodes] in inodes.forgetEnded(tree.isAlive) }
    }

    func beginService() { tree.beginService() }

    func lookup(_ request: Request, _ parent: InodeNumber, _ name: [UInt8]) {
        var key = key(.lookup, request, .inode(parent))
        key.name = name
        answer(request, key) { [self] reader throws(ProcError) in
            guard name.count <= Tree.longestName else { throw .failed(.fileNameTooLong) }
            let node = try tree.lookup(name, in: try inode(parent).node, for: reader)
            return (node, try tree.attributes(of: node, wasFound: true, for: reader))
        } instead: { [self] reader in
            guard let parent = inodes[parent]?.node else { return nil }
            return tree.lookupUnanswered(name, in: parent, for: reader)
        } deliver: { [self] request, found in
            let (number, inode) = inodes.remember(found.0, found.1)
            let isTaken = request.entry(
                number, found.0.generation, status(number, inode, found.1), isShared: tree.tellsReadersApart)
            if !isTaken { inodes.forget(number, 1) }
            return isTaken
        }
    }

    func attributes(_ request: Request, _ number: InodeNumber) {
        answer(request, key(.getattr, request, .inode(number))) { [self] reader throws(ProcError) in
            let inode = try inode(number)
            do throws(ProcError) { return (inode, try tree.attributes(of: inode.node, for: reader)) } catch {
                // The path leads nowhere any more, so the question is about an open file, whose text stays.
                guard error == .gone || error == .absent, inode.size != nil else { throw error }
                return (inode, inode.attributes)
            }
        } instead: { [self] _ in
            // As they were at the last look-up.
            inodes[number].map { ($0, $0.attributes) }
        } deliver: { [self] request, found in
            request.attributes(status(number, found.0, found.1))
        }
    }

    func forget(_ number: InodeNumber, _ lookups: UInt64) { inodes.forget(number, lookups) }

    func link(_ request: Request, _ number: InodeNumber) {
        answer(request, key(.readlink, request, .inode(number))) { [self] reader throws(ProcError) in
            try tree.target(of: try inode(number).node, for: reader)
        } deliver: { request, target in
            request.link(target)
        }
    }

    func open(_ request: Request, _ number: InodeNumber, _ info: fuse_file_info) {
        answer(request, key(.open, request, .inode(number))) { [self] reader throws(ProcError) in
            try tree.open(try inode(number).node, for: reader)
        } deliver: { [self] request, handle in
            inodes.opened(number, size: handle.file.size)
            var info = info
            info.direct_io = 1
            if handle.file.size == nil { info.nonseekable = 1 }
            let isTaken = opened(request, .file(handle), info)
            if !isTaken { inodes.closed(number) }
            return isTaken
        } discard: {
            $0.close()
        }
    }

    func read(_ request: Request, _ handle: HandleNumber, _ size: Int, _ offset: UInt64) {
        var key = key(.read, request, .handle(handle))
        (key.offset, key.size) = (offset, size)
        answer(request, key) { [self] reader throws(ProcError) in
            guard case .file(let open) = handles[handle] else { throw .failed(.badFileDescriptor) }
            return (open.file, try open.file.read(at: offset, count: size, reader))
        } deliver: { request, answer in
            // Settle before the reply: the reader may read on before the call that replies has returned.
            request.pieces(answer.1, after: { answer.0.settle(delivered: true) })
        } discard: {
            $0.0.settle(delivered: false)
        }
    }

    func seek(_ request: Request, _ handle: HandleNumber, _ offset: UInt64, toData: Bool) {
        var key = key(.lseek, request, .handle(handle))
        (key.offset, key.size) = (offset, toData ? 1 : 0)
        answer(request, key) { [self] _ throws(ProcError) in
            guard case .file(let open) = handles[handle] else { throw .failed(.badFileDescriptor) }
            guard let position = open.file.seek(offset, toData: toData) else { throw .failed(.noSuchAddressOrDevice) }
            return position
        } deliver: { request, position in
            request.position(position)
        }
    }

    func openDirectory(_ request: Request, _ number: InodeNumber, _ info: fuse_file_info) {
        answer(request, key(.opendir, request, .inode(number))) { [self] reader throws(ProcError) in
            try tree.openDirectory(try inode(number).node, for: reader)
        } deliver: { [self] request, listing in
            opened(request, .listing(listing), info)
        }
    }

    private func opened(_ request: Request, _ handle: HandleTable.Handle, _ info: fuse_file_info) -> Bool {
        let number = handles.add(handle)
        let isTaken = request.opened(number, info)
        if !isTaken { _ = handles.remove(number) }
        return isTaken
    }

    func readDirectory(
        _ request: Request, _ number: InodeNumber, _ handle: HandleNumber, _ size: Int, _ offset: UInt64
    ) {
        var key = key(.readdir, request, .handle(handle))
        (key.offset, key.size) = (offset, size)
        answer(request, key) { [self] reader throws(ProcError) in
            guard case .listing(let listing) = handles[handle] else { throw .failed(.badFileDescriptor) }
            try tree.require(listing, for: reader)
            let list = listing.entries
            var buffer = DirectoryBuffer(size: size)
            let names = 2 + list.count
            var index = Int(min(offset, UInt64(names)))
            while index < names {
                let (name, entry, inode): ([UInt8], Entry, InodeNumber) =
                    index < 2
                    ? (Array(repeating: 0x2e, count: index + 1), .root, number)
                    : (list[index - 2].name, list[index - 2].node.entry, inodes.number(of: list[index - 2].node))
                guard buffer.add(name, entry.fileType, inode, next: index + 1) else { break }
                index += 1
            }
            return buffer.bytes
        } deliver: { request, bytes in
            request.bytes(bytes)
        }
    }

    func release(_ request: Request, _ number: InodeNumber, _ handle: HandleNumber) {
        tree.countRequest(Operation.release.rawValue)
        if case .file(let open) = handles.remove(handle) {
            inodes.closed(number)
            open.close()
        }
        request.done()
    }

    func filesystem(_ request: Request) {
        tree.countRequest(Operation.statfs.rawValue)
        var status = statvfs()
        status.f_bsize = UInt(Tree.blockSize)
        status.f_frsize = UInt(Tree.blockSize)
        status.f_namemax = UInt(Tree.longestName)
        request.filesystem(status)
    }

    private func inode(_ number: InodeNumber) throws(ProcError) -> InodeTable.Inode {
        guard let inode = inodes[number] else { throw .absent }
        return inode
    }

    private func status(_ number: InodeNumber, _ inode: InodeTable.Inode, _ attributes: Attributes) -> stat {
        var status = stat()
        let entry = inode.node.entry
        let size = attributes.size ?? inode.size ?? 0
        status.st_ino = UInt(number.rawValue)
        status.st_mode = entry.fileType | entry.row.mode
        status.st_nlink = entry.kind == .directory ? 2 : 1
        status.st_uid = attributes.user
        status.st_gid = attributes.group
        status.st_size = Int(size)
        status.st_blksize = Tree.blockSize
        status.st_blocks = entry.kind == .file ? Int(((attributes.storedBytes ?? size) + 511) / 512) : 0
        status.st_ctim = timespec(milliseconds: inode.born)
        status.st_atim = status.st_ctim
        status.st_mtim = timespec(milliseconds: inode.modified)
        return status
    }
}

extension timespec {
    fileprivate init(milliseconds: UInt64) {
        self.init(tv_sec: Int(milliseconds / 1000), tv_nsec: Int(milliseconds % 1000) * 1_000_000)
    }
}
