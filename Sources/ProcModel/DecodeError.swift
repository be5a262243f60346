/// A text or word of the kernel that does not have the documented shape.
package struct DecodeError: Error, Equatable, Sendable {
    /// The file whose text it was, such as `maps`.
    package let file: String
    /// Byte offset at which reading stopped.
    package let offset: Int

    package init(_ file: String, at offset: Int) {
        self.file = file
        self.offset = offset
    }
}
