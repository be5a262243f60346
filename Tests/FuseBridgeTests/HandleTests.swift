import MemoryTree
import ProcSource
import Testing

@testable import FuseBridge

@Suite("Handle table", .timeLimit(.minutes(1)))
struct HandleTableTests {
    @Test func aHandleIsThereUntilItIsTakenOutAndItsNumberIsNeverUsedAgain() throws {
        let handles = HandleTable()
        let listing = try Tree(Tree.Options()).openDirectory(.root, for: Reader(.daemon))
        let first = handles.add(.listing(listing))
        let second = handles.add(.listing(listing))
        #expect(first != second)
        guard case .listing(let found)? = handles[first] else {
            Issue.record("the handle is lost")
            return
        }
        #expect(found === listing)
        #expect(handles.remove(first) != nil)
        #expect(handles[first] == nil)
        #expect(handles.remove(first) == nil)
        #expect(handles[second] != nil)
        let third = handles.add(.listing(listing))
        #expect(![first, second].contains(third))
    }
}

@Suite("Directory buffer", .timeLimit(.minutes(1)))
struct DirectoryBufferTests {
    /// Of struct fuse_dirent: inode, next offset, length of the name and type, then the name, padded to eight bytes.
    private func number(_ bytes: ArraySlice<UInt8>, at offset: Int, count: Int) -> UInt64 {
        bytes.dropFirst(offset).prefix(count).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    @Test func anEntryIsLaidOutAsTheKernelReadsIt() {
        var buffer = DirectoryBuffer(size: 4096)
        #expect(buffer.bytes.isEmpty)
        #expect(buffer.add(Array("maps".utf8), Node.root.entry.fileType, InodeNumber(rawValue: 77), next: 3) == true)
        let bytes = buffer.bytes
        #expect(bytes.count == 32)
        #expect(number(bytes, at: 0, count: 8) == 77)
        #expect(number(bytes, at: 8, count: 8) == 3)
        #expect(number(bytes, at: 16, count: 4) == 4)
        #expect(number(bytes, at: 20, count: 4) == 4 /* DT_DIR */)
        #expect(bytes.dropFirst(24).prefix(4).elementsEqual("maps".utf8))
    }

    @Test func whatHasNoRoomIsLeftOutWhole() {
        var buffer = DirectoryBuffer(size: 70)
        #expect(buffer.add(Array("first".utf8), 0, InodeNumber(rawValue: 1), next: 1) == true)
        #expect(buffer.add(Array("second".utf8), 0, InodeNumber(rawValue: 2), next: 2) == true)
        #expect(buffer.bytes.count == 64)
        #expect(buffer.add([0x61], 0, InodeNumber(rawValue: 3), next: 3) == false)
        #expect(buffer.bytes.count == 64)
        var none = DirectoryBuffer(size: 0)
        #expect(none.add([0x61], 0, InodeNumber(rawValue: 1), next: 1) == false)
        #expect(none.bytes.isEmpty)
    }
}
