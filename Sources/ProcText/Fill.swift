/// A picture of how full address space is: each character shows how many pages of its bucket have an entry.
package struct Fill: Picture {
    package let grid: PictureGrid
    private var counts: [UInt64]

    package init(pages: UInt64) {
        grid = PictureGrid(pages: pages)
        counts = Array(repeating: 0, count: grid.buckets)
    }

    /// Counts `count` pages that have an entry, starting at page number `first`.
    package mutating func add(first: UInt64, count: UInt64) {
        grid.forEachBucket(first: first, count: count) { counts[$0] += $1 }
    }

    package static let characters = [
        (".", "no page has an entry"), ("1-9", "so many tenths of the pages, rounded up; 9 is less than all"),
        ("*", "all"),
    ]

    package var legend: String {
        "# one character is \(grid.scale): . none has an entry, 1-9 tenths have, * all"
    }

    /// Tenths are rounded up, but to 9 at most unless all pages have an entry.
    package func character(of bucket: Int) -> Unicode.Scalar {
        let (filled, size) = (counts[bucket], grid.pages(in: bucket))
        if filled == 0 { return "." }
        if filled >= size { return "*" }
        let tenths = min(9, (filled * 10 + size - 1) / size)
        return Unicode.Scalar(UInt8(ascii: "0") + UInt8(tenths))
    }
}
