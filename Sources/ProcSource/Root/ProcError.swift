import ProcModel
import SystemPackage

/// Why a question about a process has no answer. The errno a reader gets for each is decided in one place, the bridge.
package enum ProcError: Error, Equatable, Sendable {
    /// The process, or the address space the handle was opened on, is no more.
    case gone
    /// There is nothing of that name.
    case absent
    /// The kernel refused it: EACCES or EPERM.
    case refused(Errno)
    /// The reader gave up waiting.
    case interrupted
    /// The process does not answer now: try again when the gate opens. No reader sees this.
    case mustWait(Gate)
    /// Text or words of the kernel without the documented shape.
    case malformed(DecodeError)
    /// Any other failure of a system call.
    case failed(Errno)

    package init(_ errno: Errno) {
        switch errno {
        case .noSuchProcess: self = .gone
        case .noSuchFileOrDirectory, .notDirectory: self = .absent
        case .permissionDenied, .notPermitted: self = .refused(errno)
        case .interrupted: self = .interrupted
        default: self = .failed(errno)
        }
    }

    /// Throws it if it says nothing about the process or the right to it: then the daemon has run out of something,
    /// reading has failed, or nobody has been asked.
    package func throwIfUnanswered() throws(ProcError) {
        switch self {
        case .failed(let errno) where Self.unanswered.contains(errno): throw self
        case .interrupted, .mustWait: throw self
        case .gone, .absent, .refused, .malformed, .failed: return
        }
    }

    private static let unanswered: [Errno] = [
        .tooManyOpenFiles, .tooManyOpenFilesInSystem, .noMemory, .resourceTemporarilyUnavailable, .ioError,
    ]

    /// Whether the same may succeed later, with what was done so far.
    package var isPassing: Bool {
        switch self {
        case .interrupted, .mustWait, .failed(.resourceTemporarilyUnavailable): true
        case .gone, .absent, .refused, .malformed, .failed: false
        }
    }

    /// Runs system calls and gives their errno its meaning.
    package static func wrap<Result>(_ body: () throws(Errno) -> Result) throws(ProcError) -> Result {
        do { return try body() } catch { throw ProcError(error) }
    }

    /// Runs a decoder.
    package static func decode<Result>(_ body: () throws(DecodeError) -> Result) throws(ProcError) -> Result {
        do { return try body() } catch { throw .malformed(error) }
    }
}
