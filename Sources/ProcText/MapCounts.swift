import ProcModel

/// How many present pages are mapped how often: the content of `mapcounts`.
package struct MapCounts: PageCounts {
    private struct Pages {
        var anonymous: UInt64 = 0
        /// Shared memory included.
        var file: UInt64 = 0
    }

    private var counts: [UInt64: Pages] = [:]

    package init() {}

    /// Adds the pages of a batch; the zero page, which everybody shares, is left out.
    package mutating func add(_ batch: PageBatch) {
        var index = 0
        while index < batch.count {
            let (first, start) = (batch[index], index)
            repeat { index += 1 } while index < batch.count && batch.mapCounts[index] == first.mapCount
            var pages = counts[first.mapCount] ?? Pages()
            for page in start..<index where batch[page].state == .present {
                if batch[page].entry.isOfFile { pages.file += 1 } else { pages.anonymous += 1 }
            }
            if pages.file + pages.anonymous > 0 { counts[first.mapCount] = pages }
        }
    }

    package mutating func add(_ other: MapCounts) {
        counts.merge(other.counts) { Pages(anonymous: $0.anonymous + $1.anonymous, file: $0.file + $1.file) }
    }

    /// The rows, by rising count, and the total as a comment.
    package func text(_ context: FrameContext) -> [UInt8] {
        let columns = Table.mapCounts
        let kilobytes = context.pageSize / 1024
        var text = LineWriter()
        var total: UInt64 = 0
        for (count, pages) in counts.sorted(by: { $0.key < $1.key }) {
            let all = pages.anonymous + pages.file
            total += all
            text.field(columns[0]) { $0.frameNumber(count, .present, context.view.mapCount) }
            text.field(columns[1]) { $0.decimal(all) }
            text.field(columns[2]) { $0.decimal(all * kilobytes) }
            text.field(columns[3]) { $0.decimal(pages.anonymous * kilobytes) }
            text.field(columns[4]) { $0.decimal(pages.file * kilobytes) }
            text.newline()
        }
        text.text("# \(total) \(total * kilobytes) total\n")
        return text.bytes
    }
}
