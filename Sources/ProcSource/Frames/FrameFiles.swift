import ProcModel
import Syscalls
import SystemPackage

/// The files of /proc that have one word per frame of the machine.
package struct FrameFiles: Sendable {
    package let flags: FrameFile
    package let mapCounts: FrameFile
    package let cgroups: FrameFile

    package init(_ root: ProcRoot) {
        flags = FrameFile("kpageflags", root)
        mapCounts = FrameFile("kpagecount", root)
        cgroups = FrameFile("kpagecgroup", root)
    }
}

/// A file of /proc that has one word per frame, or the reason why it cannot be opened.
package struct FrameFile: Sendable {
    package let name: String
    /// Why it cannot be opened; nil if it is open.
    package let failure: ProcError?
    /// After a failure this is the root directory, which has no words.
    private let file: any SourceFile
    private let order: Machine.ByteOrder

    init(_ name: String, _ root: ProcRoot) {
        self.name = name
        order = root.machine.byteOrder
        do {
            file = try root.open(name)
            failure = nil
        } catch {
            file = root.directory
            failure = error
        }
    }

    package var visibility: Visibility {
        switch failure {
        case nil: .known
        case .absent, .gone: .missing
        case .refused, .interrupted, .mustWait, .malformed, .failed: .hidden
        }
    }

    /// Reads it; to be used only if there is no failure.
    package var words: FrameWords { FrameWords(file: file, order: order) }
}

/// Reads the words of frames. Get it once and use it for many runs of frames. It is not optional for the same reason:
/// counting references to the file for each run, on all threads at once, takes up to a tenth of the reading time.
package struct FrameWords: Sendable {
    fileprivate let file: any SourceFile
    fileprivate let order: Machine.ByteOrder

    /// Reads the words of consecutive frames, from `frame` on, into part of an array. Frames beyond the end of memory
    /// give 0.
    package func read(_ frame: PFN, into words: inout [UInt64], _ part: Range<Int>) throws(ProcError) {
        let got: Int
        do { got = try file.readWords(at: frame.rawValue, into: &words, part, order) } catch { throw ProcError(error) }
        for index in (part.lowerBound + got)..<part.upperBound { words[index] = 0 }
    }
}
