import ProcSource
import Syscalls

/// Text that is made while it is read, front to back: each byte is handed out once, and none is lost when an answer does
/// not reach its reader.
///
/// One reader at a time: between an answer and `settle` nobody else gets one.
package final class TextStream: Sendable {
    private struct Contents {
        /// None of them empty.
        var pieces: [ArraySlice<UInt8>]
        /// Offset of the first of them.
        var position: UInt64 = 0
        var isAtEnd = false
        /// Why nothing comes any more; what was made before is still handed out.
        var failure: ProcError?
    }

    private struct State {
        /// nil while a reader has it.
        var contents: Contents?
        /// What that reader was given, from the first piece on: bytes.
        var given: (contents: Contents, bytes: Int)?
        /// Opened when a reader is done.
        var gate: Gate?
    }

    /// Pieces of one answer: each is a buffer of its own in the reply, of which the kernel takes 1,024.
    private static let mostPieces = 256

    let mostHeld: @Sendable () -> Int
    private let state: Monitor<State>
    private let next: @Sendable (Reader) throws(ProcError) -> [UInt8]?
    private let end: @Sendable () -> Void

    /// - Parameters:
    ///   - mostHeld: bytes that it may hold while nobody reads, beside those it finds room for itself.
    ///   - next: the next piece, which may be empty; nil at the end. A failure that passes loses nothing.
    ///   - end: stops the making of pieces ahead, at any time and from any thread.
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

    /// Ends the work ahead of a reader who has gone.
    func cancel() { end() }

    /// - Throws: ESPIPE when the offset is not where the last answer ended.
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

    /// Whether the answer has reached its reader; else the next one gets it.
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

    /// All of it at once.
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
    /// - Throws: why there is nothing; where there is something, that comes first.
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
