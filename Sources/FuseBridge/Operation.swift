/// A request of the kernel, by the name that `status` and the log use.
enum Operation: String, Sendable {
    case lookup, getattr, readlink, open, read, lseek, opendir, readdir, release, statfs

    /// What an error of it is about.
    var errorOrigin: ErrorOrigin {
        switch self {
        case .read, .lseek: .handle
        case .lookup, .getattr, .readlink, .open, .opendir, .readdir, .release, .statfs: .name
        }
    }
}
