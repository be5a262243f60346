import ProcModel
import ProcSource
import ProcText

/// Everything about an entry of the tree. Look-up, listing, attributes, open, the handbook and the statistics read it
/// here.
package struct Row: Sendable {
    package enum Name: Sendable {
        case fixed(String)
        /// One node for each thing of a kind. The text is its name in documentation.
        case pattern(String, Names)
    }

    package enum Kind: Sendable { case directory, file, link }

    /// The format of what a node shows.
    package enum Format: String, Sendable {
        case text, report, table, fixed, directory, link
    }

    /// Which size stat shows for a file, and when that is right.
    package enum Size: Sendable {
        /// Always right: the text is made at stat.
        case exact
        /// Always right: counted without making the text. `byScan`: only where PAGEMAP_SCAN is there; else opening the
        /// file tells.
        case counted(byScan: Bool, @Sendable (Opening, AddressRange) throws(ProcError) -> FileSize?)
        /// 0 until the file has been opened; then the size of the newest text.
        case fromOpenOn
    }

    package let name: Name
    /// The directories that it stands in; none for the root. In each of several it has another scope.
    package let parents: [Entry]
    package let format: Format
    /// Permission bits: those of the file of /proc that it is made from.
    package let mode: UInt32
    /// Not listed: found by its name only, so that `find` and `grep -r` stay finite.
    package let isLookUpOnly: Bool
    /// A process has it also as `NAME@START-END`, look-up only.
    package let isOfRanges: Bool
    /// It exists only where the mapping has a file.
    package let needsFile: Bool
    package let size: Size
    package let meaning: String
    /// The columns of a table or of lines of fixed width.
    package let columns: [Heading]
    let content: Content

    init(
        _ name: Name, in parents: [Entry], _ format: Format, _ mode: UInt32, size: Size = .fromOpenOn,
        lookUpOnly: Bool = false, ofRanges: Bool = false, needsFile: Bool = false, columns: [Heading] = [],
        _ meaning: String, _ content: Content
    ) {
        self.name = name
        self.parents = parents
        self.format = format
        self.mode = mode
        self.size = size
        self.isLookUpOnly = lookUpOnly
        self.isOfRanges = ofRanges
        self.needsFile = needsFile
        self.meaning = meaning
        self.columns = columns
        self.content = content
    }

    package var kind: Kind {
        switch content {
        case .directory: .directory
        case .link: .link
        case .everybody, .reader, .process, .memory, .mapping: .file
        }
    }

    /// The name as documentation spells it.
    package var spelling: String {
        switch name {
        case .fixed(let name), .pattern(let name, _): name
        }
    }

    /// Whether what it shows depends on the reader.
    var isOfReader: Bool {
        switch content {
        case .directory, .link, .everybody: false
        case .reader, .process, .memory, .mapping: true
        }
    }
}

/// The size of a file, in bytes.
package struct FileSize: Sendable {
    package let bytes: UInt64
    /// Bytes that are not holes, where they differ from the size.
    package let stored: UInt64?
}

/// What an entry shows, and how that is made.
enum Content: Sendable {
    case directory(Asking)
    /// The target: inside the tree relative to the link, else a file of /proc.
    case link(@Sendable (Tree, Node, Reader) throws(ProcError) -> [UInt8])
    /// A text that is the same for everybody.
    case everybody(@Sendable (Tree) -> [UInt8])
    /// A text that depends on what its reader may see.
    case reader(@Sendable (Tree, ReaderView) throws(ProcError) -> [UInt8])
    /// A text about a living process that needs nothing of its address space.
    case process(@Sendable (Tree, PinnedProcess, ReaderView) throws(ProcError) -> [UInt8])
    /// A file about a part of an address space.
    case memory(@Sendable (Opening) throws(ProcError) -> OpenFile)
    /// A file that only mappings have.
    case mapping(@Sendable (Opening, AddressRange) throws(ProcError) -> OpenFile)

    /// Which right a reader needs for a listing, each time they read it.
    enum Asking: Sendable {
        /// None, but hidepid decides what they find.
        case finding
        /// The right to see the process.
        case process
        /// The right to read its address space.
        case memory
    }
}

/// The names in a directory that a pattern stands for.
package struct Names: Sendable {
    typealias Listed = (name: [UInt8], scope: Scope)

    let scope: Scope.Kind
    /// What the name may stand for, without a system call; nil where only `find` can tell.
    let guess: @Sendable ([UInt8], Node) -> Scope?
    /// What the name stands for now.
    ///
    /// - Throws: `.absent` when there is no such thing.
    let find: @Sendable (Tree, [UInt8], Node, Reader) throws(ProcError) -> Scope
    /// All names in order; nil where they are not listed.
    let list: (@Sendable (Tree, Node, Reader) throws(ProcError) -> [Listed])?
}
