import ProcSource
import Syscalls

/// Pieces that a thread of its own makes ahead of their reader, who may give up at any moment although the kernel lets
/// nobody out of a call that walks page tables.
///
/// The thread ends when enough lies ready, and is started again when all of that has been taken.
final class ReadAhead<Piece: Sendable>: Sendable {
    private struct State {
        var pieces: [Piece] = []
        var isRunning = false
        var isCancelled = false
        /// The end, or why there is no more.
        var end: Result<Void, ProcError>?
    }

    private let most: Int
    private let make: @Sendable (Reader) throws(ProcError) -> Piece?
    private let state = Monitor(State())

    /// - Parameters:
    ///   - most: pieces that may lie ready.
    ///   - make: the next one, nil at the end; called by one thread at a time.
    init(most: Int, make: @escaping @Sendable (Reader) throws(ProcError) -> Piece?) {
        self.most = most
        self.make = make
    }

    deinit { cancel() }

    /// Ends the work, at any time and from any thread.
    func cancel() { state.change { $0.isCancelled = true } }

    /// The next piece, waited for; nil at the end.
    func next(_ reader: Reader) throws(ProcError) -> Piece? {
        while true {
            try reader.checkInterrupted()
            let (piece, end, starts): (Piece?, Result<Void, ProcError>?, Bool) = state.withLock { state in
                if !state.pieces.isEmpty { return (state.pieces.removeFirst(), nil, false) }
                let starts = state.end == nil && !state.isRunning
                if starts { state.isRunning = true }
                return (nil, state.end, starts)
            }
            if let piece { return piece }
            if let end {
                try end.get()
                return nil
            }
            let run = { @Sendable [state, most, make] in Self.run(state, most, make) }
            if starts, !Thread.start(run) { run() }
            state.wait(atMost: 5) { state in
                state.pieces.isEmpty && state.end == nil && state.isRunning && !reader.isInterrupted() ? nil : ()
            }
        }
    }

    private static func run(
        _ state: Monitor<State>, _ most: Int, _ make: @Sendable (Reader) throws(ProcError) -> Piece?
    ) {
        let reader = Reader(.daemon) { state.withLock { $0.isCancelled } }
        while true {
            let made: Result<Piece?, ProcError>
            do throws(ProcError) { made = .success(try make(reader)) } catch { made = .failure(error) }
            let goesOn = state.change { state in
                switch made {
                case .success(let piece?): state.pieces.append(piece)
                case .success(nil): state.end = .success(())
                case .failure(let error): state.end = .failure(error)
                }
                state.isRunning = state.end == nil && state.pieces.count < most && !state.isCancelled
                return state.isRunning
            }
            if !goesOn { return }
        }
    }
}

extension Reader {
    /// Has something made on a thread of its own, since it may take long in one go: who gives up does not wait for it.
    ///
    /// - Parameter make: its reader gives up when this one does.
    func onOwnThread<Value: Sendable>(_ make: @escaping @Sendable (Reader) throws(ProcError) -> Value) throws(ProcError)
        -> Value
    {
        try ReadAhead<Value>(most: 1) { reader throws(ProcError) in try make(reader) }.next(self)!
    }
}
