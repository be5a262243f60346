/// The kernel's text or word does not have the documented shape.
package struct DecodeError: Error, Equatable, Sendable {
    /// The file that was decoded, such as `maps`.
    package let file: String
    /// Byte offset at which decoding stopped.
    package let offset: Int

    package init(_ file: String, at offset: Int) {
        self.file = file
        self.offset = offset
    }
}
