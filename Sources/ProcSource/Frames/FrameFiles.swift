import ProcModel
import Syscalls
import SystemPackage

/// The files of /proc that have one word per frame of the machine, each with the reason when it cannot be read.
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

/// One of them.
package struct FrameFile: Sendable {
    package let name: String
    /// Why it cannot be opened, else nil.
    package let failure: ProcError?
    /// Where there is a failure something that has no words.
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

    /// What reads it, if there is no failure.
    package var words: FrameWords { FrameWords(file: file, order: order) }
}

/// Reads the words of frames. To be taken once for many runs of frames, and not optional: counting references to the
/// file for each run, on all threads at once, costs as much as a tenth of the reading.
package struct FrameWords: Sendable {
    fileprivate let file: any SourceFile
    fileprivate let order: Machine.ByteOrder

    /// Reads the words of frames that follow each other; frames past the end of memory read 0.
    package func read(_ frame: UInt64, into words: inout [UInt64], _ part: Range<Int>) throws(ProcError) {
        let got: Int
        do { got = try file.readWords(at: frame, into: &words, part, order) } catch { throw ProcError(error) }
        for index in (part.lowerBound + got)..<part.upperBound { words[index] = 0 }
    }
}
