import ProcSource
import Syscalls

/// Makes pieces in a thread of its own, ahead of their reader.
///
/// The thread ends when enough pieces are ready, and is started again when all of them have been taken. While the
/// process does not answer, a reader that waits for a piece gets `.mustWait`, and waits without a thread. After a
/// temporary failure (`isPassing`) the piece is made again.
final class BackgroundReader<Piece: Sendable>: Sendable {
    private struct State {
        var pieces: [Piece] = []
        var isRunning = false
        var isCancelled = false
        /// The temporary failure that ended the thread; thrown once.
        var setback: ProcError?
        /// Success at the end of all pieces, else the failure that ended them; nil while there may be more.
        var end: Result<Void, ProcError>?
    }

    private let most: Int
    private let lane: Lane
    private let make: @Sendable (Reader) throws(ProcError) -> Piece?
    private let state = Monitor(State())

    /// - Parameters:
    ///   - most: how many pieces may be ready at a time.
    ///   - lane: the lane of the process that `make` reads.
    ///   - make: makes the next piece, nil at the end. Called by one thread at a time.
    init(most: Int, _ lane: Lane, make: @escaping @Sendable (Reader) throws(ProcError) -> Piece?) {
        self.most = most
        self.lane = lane
        self.make = make
    }

    deinit { cancel() }

    /// Ends the work. May be called at any time, from any thread.
    func cancel() { state.change { $0.isCancelled = true } }

    /// The next piece if it is ready; else nil, and the thread is started if it does not run.
    func nextIfReady(_ reader: Reader) throws(ProcError) -> Piece? {
        let (piece, setback, starts): (Piece?, ProcError?, Bool) = state.withLock { state in
            if !state.pieces.isEmpty { return (state.pieces.removeFirst(), nil, false) }
            if let setback = state.setback {
                state.setback = nil
                return (nil, setback, false)
            }
            let starts = state.end == nil && !state.isRunning
            if starts { state.isRunning = true }
            return (nil, nil, starts)
        }
        if let setback { throw setback }
        let whole = Errand.current
        if starts, !Thread.start({ [state, most, make] in Self.run(state, most, make, for: reader.requester, whole) }) {
            state.withLock { $0.isRunning = false }
            throw .failed(.resourceTemporarilyUnavailable)
        }
        return piece
    }

    /// Waits for the next piece; nil at the end.
    func next(_ reader: Reader) throws(ProcError) -> Piece? {
        while true {
            try reader.checkInterrupted()
            if let piece = try nextIfReady(reader) {
                Errand.current.noteCall(since: 0)
                return piece
            }
            if let end = state.withLock({ $0.pieces.isEmpty ? $0.end : nil }) {
                try end.get()
                return nil
            }
            var isLooking = false
            state.wait(atMost: 5) { state in
                let isReady = !state.pieces.isEmpty || state.end != nil || !state.isRunning || reader.isInterrupted()
                defer { isLooking = true }
                // Wait once, then look at the lane.
                return isReady || isLooking ? () : nil
            }
            lane.noteWaiting()
            if let gate = lane.gateIfStuck(), state.withLock({ $0.pieces.isEmpty && $0.isRunning }) {
                throw .mustWait(gate)
            }
        }
    }

    private static func run(
        _ state: Monitor<State>, _ most: Int, _ make: @Sendable (Reader) throws(ProcError) -> Piece?,
        for requester: Requester, _ whole: Errand
    ) {
        let reader = Reader(requester) { state.withLock { $0.isCancelled } }
        while true {
            let made: Result<Piece?, ProcError>
            do throws(ProcError) {
                made = .success(
                    try Errand(for: requester.user, partOf: whole, isGivenUp: reader.isInterrupted).run {
                        () throws(ProcError) in
                        try make(reader)
                    })
            } catch { made = .failure(error) }
            let goesOn = state.change { state in
                switch made {
                case .success(let piece?): state.pieces.append(piece)
                case .success(nil): state.end = .success(())
                case .failure(let error) where error.isPassing: state.setback = error
                case .failure(let error): state.end = .failure(error)
                }
                state.isRunning =
                    state.end == nil && state.setback == nil && state.pieces.count < most && !state.isCancelled
                return state.isRunning
            }
            if !goesOn { return }
        }
    }
}
