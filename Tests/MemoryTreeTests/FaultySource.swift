import CLinux
import ProcModel
import ProcSource
import Syscalls
import SystemPackage

/// A source in front of another one, in which each call can fail, be short, be late or lose its process, by plan.
struct FaultySource: Source {
    /// One system call.
    struct Call: Sendable, CustomStringConvertible {
        enum Kind: Sendable { case open, read, readLink, list, status, scan, query, handle }

        /// From 1 on since the plan was made.
        let number: Int
        let kind: Kind
        /// Below the directory, such as `1234/maps`.
        let path: String

        var description: String { "call \(number), \(kind) \(path)" }
    }

    enum Fault: Sendable {
        case fails(Errno)
        /// A read of a file that comes in pieces gives half of what it would give, in whole words.
        case short
        /// Waits until the gate opens.
        case late(Gate)
        /// The process ends before the call.
        case gone
    }

    let path: String
    let machine: Machine
    let directory: any SourceFile
    private let source: any Source
    private let control = Control()

    init(_ source: any Source) {
        self.source = source
        path = source.path
        machine = source.machine
        directory = FaultyFile(source.directory, "", control)
    }

    var hiding: Hiding? { source.hiding }

    func handle(of pid: PID) throws(Errno) -> any SourceFile {
        try control.begin(.handle, "\(pid)")
        return FaultyFile(try source.handle(of: pid), "\(pid)", control)
    }

    /// Which fault each call meets from now on; all processes live again.
    func plan(_ plan: @escaping @Sendable (Call) -> Fault?) { control.plan(plan) }

    /// From now on no call meets a fault.
    func heal() { control.plan { _ in nil } }

    /// Calls since the plan was made.
    var calls: [Call] { control.calls }

    /// The call that met a fault last.
    var struck: Call? { control.struck }

    /// Files that are open.
    var openFiles: Int { control.openFiles }
}

/// Counts calls and files, and knows the plan.
private final class Control: Sendable {
    private struct State {
        var plan: @Sendable (FaultySource.Call) -> FaultySource.Fault? = { _ in nil }
        var calls: [FaultySource.Call] = []
        var openFiles = 0
        /// The call that met a fault last.
        var struck: FaultySource.Call?
        /// Directory of the process that has ended.
        var ended: Substring?
    }

    private let state = Monitor(State())

    var calls: [FaultySource.Call] { state.withLock { $0.calls } }
    var openFiles: Int { state.withLock { $0.openFiles } }
    var struck: FaultySource.Call? { state.withLock { $0.struck } }

    func plan(_ plan: @escaping @Sendable (FaultySource.Call) -> FaultySource.Fault?) {
        state.withLock { ($0.plan, $0.calls, $0.ended) = (plan, [], nil) }
    }

    func count(_ difference: Int) { state.withLock { $0.openFiles += difference } }

    /// What a call that is about to be made does not do as usual.
    enum Effect { case none, short, end }

    @discardableResult
    func begin(_ kind: FaultySource.Call.Kind, _ path: String) throws(Errno) -> Effect {
        let process = path.prefix { $0 != "/" }
        let (fault, hasEnded): (FaultySource.Fault?, Bool) = state.withLock { state in
            let call = FaultySource.Call(number: state.calls.count + 1, kind: kind, path: path)
            state.calls.append(call)
            let fault = state.plan(call)
            if fault != nil { state.struck = call }
            if case .gone = fault, process.first?.isNumber == true { state.ended = process }
            return (fault, state.ended == process)
        }
        if hasEnded { return try afterEnd(kind, path) }
        switch fault {
        case .fails(let errno): throw errno
        case .short where Self.comesInPieces(path): return .short
        case .late(let gate): gate.wait()
        case .gone, .short, nil: break
        }
        return .none
    }

    /// Other files of a process are given whole, or as much as there is room for.
    private static func comesInPieces(_ path: String) -> Bool {
        ["maps", "smaps", "pagemap", "kpageflags", "kpagecount", "kpagecgroup"].contains { path.hasSuffix($0) }
    }

    /// As the kernel answers about a process that is no more.
    private func afterEnd(_ kind: FaultySource.Call.Kind, _ path: String) throws(Errno) -> Effect {
        switch kind {
        case .scan: return .end
        case .read where ["/maps", "/smaps", "/pagemap"].contains { path.hasSuffix($0) }: return .end
        case .read, .query, .handle: throw .noSuchProcess
        case .open, .readLink, .list, .status: throw .noSuchFileOrDirectory
        }
    }
}

private final class FaultyFile: SourceFile {
    private let file: any SourceFile
    private let path: String
    private let control: Control

    init(_ file: any SourceFile, _ path: String, _ control: Control) {
        self.file = file
        self.path = path
        self.control = control
        control.count(1)
    }

    deinit { control.count(-1) }

    private func below(_ name: String) -> String { path.isEmpty ? name : name.isEmpty ? path : "\(path)/\(name)" }

    func open(_ name: String, _ flags: File.OpenFlags, as who: Credentials?) throws(Errno) -> any SourceFile {
        try control.begin(.open, below(name))
        return FaultyFile(try file.open(name, flags, as: who), below(name), control)
    }

    func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(Errno) -> Int {
        switch try control.begin(.read, path) {
        case .none: return unsafe try file.read(at: offset, into: buffer)
        case .short: return unsafe try (file.read(at: offset, into: buffer) / 2 + 7) & ~7
        case .end: return 0
        }
    }

    func readLink(_ name: String, as who: Credentials?) throws(Errno) -> [UInt8] {
        try control.begin(.readLink, below(name))
        return try file.readLink(name, as: who)
    }

    func list(as who: Credentials?) throws(Errno) -> [[UInt8]] {
        try control.begin(.list, path)
        return try file.list(as: who)
    }

    func status(_ name: String, followLinks: Bool, as who: Credentials?) throws(Errno) -> File.Status {
        try control.begin(.status, below(name))
        return try file.status(name, followLinks: followLinks, as: who)
    }

    func status(below name: String, path: [UInt8]) throws(Errno) -> File.Status {
        try control.begin(.status, below(name))
        return try file.status(below: name, path: path)
    }

    var filesystemType: Int { file.filesystemType }

    func scan(_ argument: inout linux_scan) throws(Errno) -> Int {
        guard case .end = try control.begin(.scan, path) else { return try file.scan(&argument) }
        argument.walk_end = argument.end
        return 0
    }

    func query(_ argument: inout linux_vma_query) throws(Errno) {
        try control.begin(.query, path)
        try file.query(&argument)
    }
}
