/// A picture of pages laid end to end: a header line, then at most 64 rows of 64 characters, one for each bucket of pages.
package protocol Picture: Sendable {
    var grid: PictureGrid { get }
    /// The header line, without a newline: what the characters mean.
    var legend: String { get }
    func character(of bucket: Int) -> Unicode.Scalar
}

extension Picture {
    /// The header line and the rows. The lowest address is at the upper left.
    package var text: [UInt8] {
        var text = LineWriter(capacity: 66 * 64 + 256)
        text.text(legend)
        text.newline()
        for bucket in 0..<grid.buckets {
            text.byte(character(of: bucket))
            if (bucket + 1) % PictureGrid.columns == 0 || bucket + 1 == grid.buckets { text.newline() }
        }
        return text.bytes
    }
}

/// Divides pages laid end to end into buckets of equal size.
package struct PictureGrid: Sendable {
    package static let columns = 64
    private static let mostBuckets: UInt64 = 4096

    package let pages: UInt64
    /// Pages per bucket; the last bucket may have fewer.
    package let pagesPerBucket: UInt64
    package let buckets: Int

    package init(pages: UInt64) {
        self.pages = pages
        pagesPerBucket = max(1, (pages + Self.mostBuckets - 1) / Self.mostBuckets)
        buckets = Int((pages + pagesPerBucket - 1) / pagesPerBucket)
    }

    /// The size of a bucket in words.
    package var scale: String { pagesPerBucket == 1 ? "1 page" : "\(pagesPerBucket) pages" }

    package func pages(in bucket: Int) -> UInt64 { min(pagesPerBucket, pages - UInt64(bucket) * pagesPerBucket) }

    /// Calls `body` for each bucket that contains some of these pages, with the index of the bucket and their number.
    package func forEachBucket(first: UInt64, count: UInt64, _ body: (Int, UInt64) -> Void) {
        var page = first
        let end = min(first + count, pages)
        while page < end {
            let bucket = page / pagesPerBucket
            let next = min(end, (bucket + 1) * pagesPerBucket)
            body(Int(bucket), next - page)
            page = next
        }
    }
}
