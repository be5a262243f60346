import CFuse3
import MemoryTree

/// libfuse's callbacks. Each converts its arguments and calls the bridge.
enum Operations {
    static var table: fuse_lowlevel_ops {
        var table = fuse_lowlevel_ops()
        unsafe table.`init` = { bridge, connection in
            guard let bridge = unsafe bridge, let connection = unsafe connection else { return }
            // READDIRPLUS would be wasted: its entries are valid for no time, so the kernel drops them at once.
            unsafe connection.pointee.want &= ~UInt32(FUSE_CAP_READDIRPLUS | FUSE_CAP_READDIRPLUS_AUTO)
            // Otherwise look-ups in one directory wait for each other.
            unsafe connection.pointee.want |= unsafe connection.pointee.capable & UInt32(FUSE_CAP_PARALLEL_DIROPS)
            unsafe Unmanaged<Bridge>.fromOpaque(bridge).takeUnretainedValue().ready()
        }
        unsafe table.lookup = { raw, parent, name in
            guard let (request, bridge) = unsafe begin(raw), let name = unsafe name else { return }
            bridge.lookup(request, InodeNumber(rawValue: parent), unsafe bytes(name))
        }
        unsafe table.forget = { raw, number, lookups in
            guard let (request, bridge) = unsafe begin(raw) else { return }
            bridge.forget(InodeNumber(rawValue: number), lookups)
            request.none()
        }
        unsafe table.forget_multi = { raw, count, list in
            guard let (request, bridge) = unsafe begin(raw), let list = unsafe list else { return }
            for index in 0..<count {
                bridge.forget(InodeNumber(rawValue: unsafe list[index].ino), unsafe list[index].nlookup)
            }
            request.none()
        }
        unsafe table.getattr = { raw, number, _ in
            guard let (request, bridge) = unsafe begin(raw) else { return }
            bridge.attributes(request, InodeNumber(rawValue: number))
        }
        unsafe table.readlink = { raw, number in
            guard let (request, bridge) = unsafe begin(raw) else { return }
            bridge.link(request, InodeNumber(rawValue: number))
        }
        unsafe table.open = { raw, number, info in
            guard let (request, bridge) = unsafe begin(raw), let info = unsafe info else { return }
            bridge.open(request, InodeNumber(rawValue: number), unsafe info.pointee)
        }
        unsafe table.read = { raw, _, size, offset, info in
            guard let (request, bridge) = unsafe begin(raw), let info = unsafe info else { return }
            bridge.read(request, unsafe info.pointee.handle, size, UInt64(max(0, offset)))
        }
        unsafe table.lseek = { raw, _, offset, whence, info in
            guard let (request, bridge) = unsafe begin(raw), let info = unsafe info else { return }
            bridge.seek(
                request, unsafe info.pointee.handle, UInt64(max(0, offset)), toData: whence == 3 /* SEEK_DATA */)
        }
        unsafe table.release = { raw, number, info in
            guard let (request, bridge) = unsafe begin(raw), let info = unsafe info else { return }
            bridge.release(request, InodeNumber(rawValue: number), unsafe info.pointee.handle)
        }
        unsafe table.opendir = { raw, number, info in
            guard let (request, bridge) = unsafe begin(raw), let info = unsafe info else { return }
            bridge.openDirectory(request, InodeNumber(rawValue: number), unsafe info.pointee)
        }
        unsafe table.readdir = { raw, number, size, offset, info in
            guard let (request, bridge) = unsafe begin(raw), let info = unsafe info else { return }
            bridge.readDirectory(
                request, InodeNumber(rawValue: number), unsafe info.pointee.handle, size, UInt64(max(0, offset)))
        }
        unsafe table.releasedir = { raw, number, info in
            guard let (request, bridge) = unsafe begin(raw), let info = unsafe info else { return }
            bridge.release(request, InodeNumber(rawValue: number), unsafe info.pointee.handle)
        }
        unsafe table.statfs = { raw, _ in
            guard let (request, bridge) = unsafe begin(raw) else { return }
            bridge.filesystem(request)
        }
        return table
    }
}

private func begin(_ raw: fuse_req_t?) -> (Request, Bridge)? {
    guard let raw = unsafe raw, let bridge = unsafe fuse_req_userdata(raw) else { return nil }
    return unsafe (Request(raw), Unmanaged<Bridge>.fromOpaque(bridge).takeUnretainedValue())
}

extension fuse_file_info {
    /// The number it was given when it was opened.
    fileprivate var handle: HandleNumber { HandleNumber(rawValue: fh) }
}

private func bytes(_ name: UnsafePointer<CChar>) -> [UInt8] {
    var bytes: [UInt8] = []
    var next = unsafe name
    while unsafe next.pointee != 0 {
        bytes.append(unsafe UInt8(bitPattern: next.pointee))
        unsafe next += 1
    }
    return bytes
}
