import ProcSource
import SystemPackage

/// What the failed request named. A name that leads nowhere any more is ENOENT; a handle whose process is gone is
/// ESRCH.
enum ErrorOrigin { case name, handle }

extension ProcError {
    /// The errno that a reader gets. It is decided only here.
    func errno(at origin: ErrorOrigin) -> Errno {
        switch self {
        case .gone: origin == .name ? .noSuchFileOrDirectory : .noSuchProcess
        case .absent: .noSuchFileOrDirectory
        case .refused(let errno), .failed(let errno): errno
        case .interrupted: .interrupted
        case .mustWait: .resourceTemporarilyUnavailable
        case .malformed: .ioError
        }
    }
}
