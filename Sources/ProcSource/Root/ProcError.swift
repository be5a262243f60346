import ProcModel
import SystemPackage

/// Why something about a process could not be read. Which errno a reader gets for each case is
/// decided in FuseBridge, `ProcError+Errno.swift`.
package enum ProcError: Error, Equatable, Sendable {
    /// The process has ended, or the address space for which the handle was opened.
    case gone
    /// There is nothing with that name.
    case absent
    /// The kernel refused it: EACCES or EPERM.
    case refused(Errno)
    /// The reader gave up waiting.
    case interrupted
    /// The process does not answer now: try again when the gate opens. Readers never get this error.
    case mustWait(Gate)
    /// The kernel's text or words do not have the documented shape.
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

    /// Throws this error if it tells nothing about the process or the right to read it: if the daemon ran out of a resource,
    /// reading failed, or the kernel was not asked.
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

    /// Whether the same may succeed later, so that what was done so far is kept.
    package var isPassing: Bool {
        switch self {
        case .interrupted, .mustWait, .failed(.resourceTemporarilyUnavailable): true
        case .gone, .absent, .refused, .malformed, .failed: false
        }
    }

    /// Runs system calls and converts their errno.
    package static func wrap<Result>(_ body: () throws(Errno) -> Result) throws(ProcError) -> Result {
        do { return try body() } catch { throw ProcError(error) }
    }

    /// Runs a decoder and converts its error.
    package static func decode<Result>(_ body: () throws(DecodeError) -> Result) throws(ProcError) -> Result {
        do { return try body() } catch { throw .malformed(error) }
    }
}
