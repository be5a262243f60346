// The numbers by which the kernel and the daemon name things to each other. They are bare integers only in the structures of
// libfuse and of the kernel. Source: include/uapi/linux/fuse.h.

/// The number of an inode (`nodeid`). `InodeTable` knows which node it stands for.
struct InodeNumber: RawRepresentable, Hashable, Sendable {
    let rawValue: UInt64

    /// The top directory's (FUSE_ROOT_ID).
    static let root = Self(rawValue: 1)
}

/// The number of an open file or directory (`fh`). It is not used again after release.
struct HandleNumber: RawRepresentable, Hashable, Sendable {
    let rawValue: UInt64
}

/// The number of a request (`unique`), by which INTERRUPT names the one that is no longer waited for.
struct RequestNumber: RawRepresentable, Hashable, Sendable {
    let rawValue: UInt64
}
