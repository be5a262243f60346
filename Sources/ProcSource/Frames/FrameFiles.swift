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
    private let file: File?

    init(_ name: String, _ root: ProcRoot) {
        self.name = name
        do {
            file = try root.open(name)
            failure = nil
        } catch {
            file = nil
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

    /// What reads it: of use as long as this file is there.
    package var words: FrameWords { FrameWords(number: file?.number) }
}

/// Reads the words of frames. Holds a mere number, since counting references for each run of frames, on all threads at
/// once, costs as much as a tenth of the reading.
package struct FrameWords: Sendable {
    fileprivate let number: Int32?

    /// Reads the words of frames that follow each other; frames past the end of memory read 0.
    package func read(_ frame: UInt64, into words: inout [UInt64], _ part: Range<Int>) throws(ProcError) {
        guard let number else { return }
        let got: Int
        do { got = try File.readWords(of: number, at: frame, into: &words, part) } catch { throw ProcError(error) }
        for index in (part.lowerBound + got)..<part.upperBound { words[index] = 0 }
    }
}
