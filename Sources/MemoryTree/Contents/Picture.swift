import ProcModel
import ProcSource
import ProcText
import Syscalls

extension Opening {
    /// A picture of the pages that the file is about, laid end to end.
    ///
    /// - Parameters:
    ///   - blank: makes the picture of this many pages without an entry.
    ///   - paint: draws the pages of these addresses into the picture.
    func picture<Image: Picture>(
        _ blank: (UInt64) -> Image,
        paint: (Image, PageWalk, PageOffsets) throws(ProcError) -> Image
    ) throws(ProcError) -> OpenFile {
        let walk = try walk()
        return try shared { () throws(ProcError) in
            let title = try title()
            let pageSize = context.pageSize
            // A mapping at a kernel address has no page tables: its pages are all holes.
            let pages = try pages()
            var image = blank(pages.ranges.reduce(0) { $0 + $1.size / pageSize })
            if let walk { image = try paint(image, walk, PageOffsets(pages.walkable, pageSize: pageSize)) }
            return title + image.text
        }
    }
}

/// Numbers the pages of spans laid end to end.
struct PageOffsets: Sendable {
    let spans: [AddressRange]
    private let firsts: [UInt64]
    private let ends: [UInt64]
    private let pageSize: UInt64

    init(_ spans: [AddressRange], pageSize: UInt64) {
        self.spans = spans
        self.pageSize = pageSize
        var firsts: [UInt64] = []
        var next: UInt64 = 0
        for span in spans {
            firsts.append(next)
            next += span.size / pageSize
        }
        self.firsts = firsts
        ends = spans.map(\.end)
    }

    /// Calls `body` for each part of the range that lies in one span, with the number of its first page and how many it
    /// has.
    func forEachPart(_ range: AddressRange, _ body: (UInt64, UInt64) -> Void) {
        var index = ends.firstIndex(notBelow: range.start + 1)
        while index < spans.count, spans[index].start < range.end {
            if let part = spans[index].intersection(range) {
                body(firsts[index] + (part.start - spans[index].start) / pageSize, part.size / pageSize)
            }
            index += 1
        }
    }
}
