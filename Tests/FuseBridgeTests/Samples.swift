import CFuse3
import MemoryTree
import ProcModel
import ProcSource
import Syscalls

@testable import FuseBridge

/// The directory of a process.
func processNode(_ pid: Int32, birth: UInt64 = 1) -> Node {
    Node(.process, .process(ProcessID(pid: PID(rawValue: pid), birth: birth)))
}

/// A thread that has ended: it asks for nothing again.
let endedThread = PID(rawValue: .max)

func request(of thread: PID? = nil, user: UInt32 = 0) -> Request {
    Request(of: Requester(thread: thread, user: user, group: 0))
}

/// A request as the kernel sends it: struct fuse_in_header, and of an INTERRUPT the number it is about.
func buffer(_ operation: UInt32, number: UInt64 = 1, user: UInt32 = 0, about: UInt64? = nil) -> RequestBuffer {
    let size = about == nil ? 40 : 48
    let buffer = RequestBuffer()
    // The buffer frees it by free(3), as libfuse's memory.
    let memory = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 8)
    unsafe memory.initializeMemory(as: UInt8.self, repeating: 0, count: size)
    unsafe memory.storeBytes(of: UInt32(size), toByteOffset: 0, as: UInt32.self)
    unsafe memory.storeBytes(of: operation, toByteOffset: 4, as: UInt32.self)
    unsafe memory.storeBytes(of: number, toByteOffset: 8, as: UInt64.self)
    unsafe memory.storeBytes(of: user, toByteOffset: 24, as: UInt32.self)
    if let about { unsafe memory.storeBytes(of: about, toByteOffset: 40, as: UInt64.self) }
    unsafe buffer.raw.mem = memory
    unsafe buffer.raw.size = size
    return buffer
}

/// Numbers of operations. Source: include/uapi/linux/fuse.h.
enum Opcode {
    static let lookup: UInt32 = 1
    static let forget: UInt32 = 2
    static let read: UInt32 = 15
    static let interrupt: UInt32 = 36
}

/// How often something happened, on any thread.
final class Count: Sendable {
    private let count = Monitor(0)
    var value: Int { count.withLock { $0 } }
    func add() { count.change { $0 += 1 } }
    /// Waits until it has happened so often.
    func wait(for value: Int) { count.wait { $0 >= value ? () : nil } }
}
