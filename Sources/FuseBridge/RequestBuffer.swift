import CFuse3
import Syscalls
import SystemPackage

/// One request as it came from the kernel, in memory that is reused for the next one.
@safe final class RequestBuffer: @unchecked Sendable {
    // Safety: one thread at a time has it.
    var raw = unsafe fuse_buf()

    deinit { unsafe System.release(raw.mem) }

    /// Waits for a request. Returns its size in bytes, 0 when the file system is unmounted, or a negative errno.
    func receive(_ session: OpaquePointer) -> Int32 { unsafe fuse_session_receive_buf(session, &raw) }

    /// Hands the request to libfuse, which calls the callback for it.
    func process(_ session: OpaquePointer) { unsafe fuse_session_process_buf(session, &raw) }

    /// The fsuid of the process that asks.
    var user: UInt32 { unsafe raw.mem.loadUnaligned(fromByteOffset: 24, as: UInt32.self) }

    /// Replies with an errno, without any work.
    func refuse(_ session: OpaquePointer, _ errno: Errno) {
        // struct fuse_out_header: length, minus the errno, number of the request.
        var bytes: [UInt8] = []
        unsafe withUnsafeBytes(of: UInt32(16)) { unsafe bytes.append(contentsOf: $0) }
        unsafe withUnsafeBytes(of: -errno.rawValue) { unsafe bytes.append(contentsOf: $0) }
        unsafe withUnsafeBytes(of: number.rawValue) { unsafe bytes.append(contentsOf: $0) }
        unsafe try? System.write(bytes, to: fuse_session_fd(session))
    }

    /// The number of the request.
    var number: RequestNumber {
        RequestNumber(rawValue: unsafe raw.mem.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    }

    /// The number of the request that this one interrupts; nil unless it is an INTERRUPT.
    var interrupted: RequestNumber? {
        guard unsafe raw.mem.loadUnaligned(fromByteOffset: 4, as: UInt32.self) == 36, unsafe raw.size >= 48 else {
            return nil
        }
        return RequestNumber(rawValue: unsafe raw.mem.loadUnaligned(fromByteOffset: 40, as: UInt64.self))
    }

    /// How long the answer to a request may take.
    enum Kind {
        /// Opens or reads a file: pages may be decoded.
        case long
        /// Usually waits only for short system calls. If it takes long after all, the crew's watch notices.
        case quick
        /// Waits for nothing.
        case immediate
    }

    /// By the operation code. Source: include/uapi/linux/fuse.h.
    var kind: Kind {
        switch unsafe raw.mem.loadUnaligned(fromByteOffset: 4, as: UInt32.self) {
        case 14 /* OPEN */, 15 /* READ */, 46 /* LSEEK */: .long
        case 2 /* FORGET */, 36 /* INTERRUPT */, 42 /* BATCH_FORGET */: .immediate
        default: .quick
        }
    }
}
