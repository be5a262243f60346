import ProcModel
import ProcSource
import ProcText

/// Everything about an entry of the tree: look-up, listing, attributes, open, the handbook and the statistics read it here.
package struct Row: Sendable {
    package enum Name: Sendable {
        case fixed(String)
        /// One node for each thing of a kind; the text stands for it in documentation.
        case pattern(String, Names)
    }

    package enum Kind: Sendable { case directory, file, link }

    /// How a file's text is built.
    package enum Format: String, Sendable {
        case text, report, table, fixed, directory, link
    }

    /// What stat shows of a file's size, and when that is true.
    package enum Size: Sendable {
        /// Always: the text is made at stat.
        case exact
        /// Always: told without making the text. With `byScan` only where the scan can be had; else opening the file tells.
        case counted(byScan: Bool, @Sendable (Opening, AddressRange) throws(ProcError) -> FileSize?)
        /// 0 until the file has been opened; from then on that of the newest text.
        case fromOpenOn
    }

    package let name: Name
    /// The directories that it stands in; none for the root. In more than one it is of different things.
    package let parents: [Entry]
    package let format: Format
    /// Permission bits: those of the file of /proc that it is made from.
    package let mode: UInt32
    /// Not listed: found by its name only, so that `find` and `grep -r` stay finite.
    package let isLookUpOnly: Bool
    /// A process has it also as `NAME@START-END`, look-up only.
    package let isOfRanges: Bool
    /// It is there only where the mapping has a file.
    package let needsFile: Bool
    package let size: Size
    package let meaning: String
    /// Of a table and of lines of fixed width.
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

    /// What it shows depends on who reads it.
    var isOfReader: Bool {
        switch content {
        case .directory, .link, .everybody: false
        case .reader, .process, .memory, .mapping: true
        }
    }
}

/// Bytes of a file.
package struct FileSize: Sendable {
    package let bytes: UInt64
    /// Bytes that are not holes, where they differ.
    package let stored: UInt64?
}

/// What an entry shows, and how that is made.
enum Content: Sendable {
    case directory(Asking)
    /// Where it leads: inside the tree relative to the link, else to a file of /proc.
    case link(@Sendable (Tree, Node, Reader) throws(ProcError) -> [UInt8])
    /// A text that is the same for everybody.
    case everybody(@Sendable (Tree) -> [UInt8])
    /// A text that depends on what its reader may see.
    case reader(@Sendable (Tree, ReaderView) throws(ProcError) -> [UInt8])
    /// A text about a process that lives, without its address space.
    case process(@Sendable (Tree, PinnedProcess, ReaderView) throws(ProcError) -> [UInt8])
    /// A file about a part of an address space.
    case memory(@Sendable (Opening) throws(ProcError) -> OpenFile)
    /// A file that only mappings have.
    case mapping(@Sendable (Opening, AddressRange) throws(ProcError) -> OpenFile)

    /// Whose leave a reader needs for a listing, each time they read on in it.
    enum Asking: Sendable {
        /// Nobody's, but hidepid decides what they find.
        case finding
        /// That to look at the process.
        case process
        /// That to look at its address space.
        case memory
    }
}

/// The names of things in a directory.
package struct Names: Sendable {
    typealias Listed = (name: [UInt8], scope: Scope)

    let scope: Scope.Kind
    /// What the name may stand for; asks nobody, and nil where only `find` can tell.
    let guess: @Sendable ([UInt8], Node) -> Scope?
    /// What it stands for now.
    ///
    /// - Throws: `.absent` when there is no such thing.
    let find: @Sendable (Tree, [UInt8], Node, Reader) throws(ProcError) -> Scope
    /// All of them in order; nil where they are look-up only.
    let list: (@Sendable (Tree, Node, Reader) throws(ProcError) -> [Listed])?
}
