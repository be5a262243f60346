import ProcSource
import Syscalls

/// Text that is made while it is read, front to back. Each byte is delivered once; bytes that did not reach the reader
/// are returned again.
///
/// One read at a time: between `read` and `settle`, another `read` throws `.mustWait`.
package final class TextStream: Sendable {
    private struct Contents {
        /// None of them empty.
        var pieces: [ArraySlice<UInt8>]
        /// Offset of the first piece.
        var position: UInt64 = 0
        var isAtEnd = false
        /// The failure that ended the text. What was made before is still returned.
        var failure: ProcError?
    }

    private struct State {
        /// nil while a read uses it, until `settle`.
        var contents: Contents?
        /// What the last `read` returned: this many bytes from the first piece on.
        var given: (contents: Contents, bytes: Int)?
        /// Opens when that read is settled.
        var gate: Gate?
    }

    /// Pieces in one answer. Each is one buffer of the reply, and the kernel takes at most 1,024.
    private static let mostPieces = 256

    let mostHeld: @Sendable () -> Int
    private let state: Monitor<State>
    private let next: @Sendable (Reader) throws(ProcError) -> [UInt8]?
    private let end: @Sendable () -> Void

    /// - Parameters:
    ///   - mostHeld: bytes that it may hold between reads, without those that it counts in the quota itself.
    ///   - next: makes the next piece, which may be empty; nil at the end. After a temporary failure (`isPassing`) it
    ///     is called again.
    ///   - end: stops the work done ahead. Called at any time, from any thread.
    init(
        header: [UInt8], mostHeld: @escaping @Sendable () -> Int = { 0 },
        end: @escaping @Sendable () -> Void = {},
        next: @escaping @Sendable (Reader) throws(ProcError) -> [UInt8]?
    ) {
        self.mostHeld = mostHeld
        state = Monitor(State(contents: Contents(pieces: [header[...]])))
        self.next = next
        self.end = end
    }

    /// Stops the work done ahead of a reader who has gone.
    func cancel() { end() }

    /// - Throws: also ESPIPE when the offset is not where the last answer ended, and `.mustWait` while another read is
    ///   not settled.
    func read(at offset: UInt64, count: Int, _ reader: Reader) throws(ProcError) -> [ArraySlice<UInt8>] {
        var contents = try checkOut()
        do throws(ProcError) {
            guard offset == contents.position else { throw .failed(.illegalSeek) }
            try fill(&contents, count, reader)
        } catch {
            checkIn(contents)
            throw error
        }
        var answer: [ArraySlice<UInt8>] = []
        var room = count
        for piece in contents.pieces.prefix(Self.mostPieces) where room > 0 {
            answer.append(piece.prefix(room))
            room -= answer[answer.count - 1].count
        }
        state.withLock { $0.given = (contents, count - room) }
        return answer
    }

    /// Says whether the bytes of the last `read` have reached the reader. If not, the next `read` returns them again.
    func settle(delivered: Bool) {
        guard
            let given = state.withLock({ state in
                defer { state.given = nil }
                return state.given
            })
        else { return }
        var contents = given.contents
        if delivered {
            contents.position += UInt64(given.bytes)
            var left = given.bytes
            while left > 0 {
                let piece = contents.pieces[0]
                if piece.count > left {
                    contents.pieces[0] = piece.dropFirst(left)
                } else {
                    contents.pieces.removeFirst()
                }
                left -= min(left, piece.count)
            }
        }
        checkIn(contents)
    }

    /// The whole text at once.
    func readAll(_ reader: Reader) throws(ProcError) -> [UInt8] {
        var text: [UInt8] = []
        while true {
            let pieces = try read(at: UInt64(text.count), count: 1 << 20, reader)
            for piece in pieces { text.append(contentsOf: piece) }
            settle(delivered: true)
            if pieces.isEmpty { return text }
        }
    }

    /// Makes pieces until there are enough bytes, or the end is reached.
    ///
    /// - Throws: the failure, if no bytes are ready. If some are, they are returned first.
    private func fill(_ contents: inout Contents, _ count: Int, _ reader: Reader) throws(ProcError) {
        var ready = contents.pieces.reduce(0) { $0 + $1.count }
        while ready < count, contents.pieces.count < Self.mostPieces, !contents.isAtEnd, contents.failure == nil {
            do throws(ProcError) {
                try reader.checkInterrupted()
                guard let piece = try next(reader) else {
                    contents.isAtEnd = true
                    return
                }
                guard !piece.isEmpty else { continue }
                contents.pieces.append(piece[...])
                ready += piece.count
            } catch {
                guard error.isPassing else {
                    contents.failure = error
                    break
                }
                if ready == 0 { throw error }
                return
            }
        }
        if ready == 0, let failure = contents.failure { throw failure }
    }

    private func checkOut() throws(ProcError) -> Contents {
        let (contents, gate): (Contents?, Gate?) = state.withLock { state in
            if let contents = state.contents {
                state.contents = nil
                return (contents, nil)
            }
            let gate = state.gate ?? Gate(of: .current)
            state.gate = gate
            return (nil, gate)
        }
        guard let contents else { throw .mustWait(gate!) }
        return contents
    }

    private func checkIn(_ contents: Contents) {
        let gate = state.withLock { state in
            state.contents = contents
            defer { state.gate = nil }
            return state.gate
        }
        gate?.open()
    }
}
