import ProcModel
import ProcSource
import Syscalls
import SystemPackage

/// A process as it is now, as one reader may see it.
struct OpenedProcess: Sendable {
    let process: PinnedProcess
    /// nil for a kernel thread or a zombie. Its `maps` was just opened with the reader's rights.
    let memory: ProcessMemory?
    /// See `SeenProcesses.space`.
    let space: UInt64
    let view: ReaderView
    let context: FrameContext

    var key: SnapshotCache.SpaceKey {
        SnapshotCache.SpaceKey(process: process.id, space: space, decision: view.decision)
    }
}

extension Tree {
    /// The process with its memory as it is now.
    ///
    /// - Throws: `.absent` when there is no process to ask, `.gone` when it has ended.
    func opened(_ id: ProcessID?, _ reader: Reader) throws(ProcError) -> OpenedProcess {
        guard let id else { throw .absent }
        let process = try processToRead(id, reader)
        let view = try view(of: id, for: reader)
        let context = capabilities.frames.seen(through: view.frames)
        for _ in 0..<Self.mostExecs {
            guard let thread = try process.memoryThread() else {
                return OpenedProcess(process: process, memory: nil, space: 0, view: view, context: context)
            }
            let memory = try ProcessMemory(process, thread, as: try view.decision.rights())
            let space = try processes.space(of: memory)
            // If the layout has changed, the memory and the number may be of two different programs.
            guard try process.memoryThread()?.stat.layout == thread.stat.layout else { continue }
            return OpenedProcess(process: process, memory: memory, space: space, view: view, context: context)
        }
        throw .gone
    }

    /// How often opening is tried when the process calls exec meanwhile.
    private static let mostExecs = 3

    /// What the reader may ask the kernel about a process, or about none in particular, and see of it.
    func view(of process: ProcessID? = nil, for reader: Reader) throws(ProcError) -> ReaderView {
        let decision = access.decision(of: reader.requester, to: process)
        return ReaderView(decision: decision, frames: try capabilities.frameView(decision, root))
    }

    /// The process with this number, if hidepid lets the reader stat its directory.
    func processToStat(_ pid: PID, _ reader: Reader) throws(ProcError) -> PinnedProcess {
        try requireFindable(pid, reader)
        return try processes.process(pid)
    }

    /// The same for a process that was found before, if it lives.
    func processToStat(_ id: ProcessID, _ reader: Reader) throws(ProcError) -> PinnedProcess {
        let process = try processes.process(id)
        try requireFindable(id.pid, reader)
        guard process.isAlive else { throw .gone }
        return process
    }

    private func requireFindable(_ pid: PID, _ reader: Reader) throws(ProcError) {
        try askIfHidden(pid, inside: false, reader) { rights throws(ProcError) in
            try root.requireVisible(pid, as: rights)
        }
    }

    /// The process, if hidepid lets the reader read those of its files that everybody may read.
    func processToRead(_ id: ProcessID, _ reader: Reader) throws(ProcError) -> PinnedProcess {
        let process = try processes.process(id)
        try askIfHidden(id.pid, inside: true, reader) { rights throws(ProcError) in
            _ = try process.openAtHand("stat", as: rights)
        }
        return process
    }

    /// The same, if it lives.
    func livingProcess(_ id: ProcessID?, _ reader: Reader) throws(ProcError) -> PinnedProcess {
        guard let id else { throw .absent }
        let process = try processToRead(id, reader)
        guard process.isAlive else { throw .gone }
        return process
    }

    /// Asks the kernel with the reader's rights where hidepid is in force. A reader whose rights cannot be used gets
    /// the error that the kernel gives those from whom it hides the process.
    private func askIfHidden(
        _ pid: PID, inside: Bool, _ reader: Reader, ask: (Rights) throws(ProcError) -> Void
    ) throws(ProcError) {
        guard let hiding = root.hiding else { return }
        switch access.decision(of: reader.requester, to: ProcessID(pid: pid, birth: 0)) {
        case .asked(let rights): try ask(rights)
        case .refused: if let failure = hiding.failure(inside: inside) { throw failure }
        }
    }
}
