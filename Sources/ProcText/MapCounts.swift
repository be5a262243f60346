import ProcModel

/// How many present pages have each map count: the content of `mapcounts`.
package struct MapCounts: PageCounts {
    private struct Pages {
        var anonymous: UInt64 = 0
        /// Includes shared memory.
        var file: UInt64 = 0
    }

    private var counts: [UInt64: Pages] = [:]

    package init() {}

    /// Adds the pages of a batch, except the zero page, which all processes share.
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

    /// A row of `mapcounts`.
    package struct Row: Sendable {
        let mapCount: Cell
        let anonymous, file: UInt64
        let kilobytesPerPage: UInt64

        var pages: UInt64 { anonymous + file }
    }

    package static let table = Table<Row>([
        Column("mapcount", 10, .right, "how often a page is mapped, from kpagecount; ? hidden") { $0.mapCount },
        Column("pages", 10, .right, "how many present pages are mapped so often, without the zero page") {
            .number($0.pages)
        },
        Column("kB", 11, .right, "the same in kB") { .number($0.pages * $0.kilobytesPerPage) },
        Column("anon", 11, .right, unit: "kB", "of these, anonymous memory") {
            .number($0.anonymous * $0.kilobytesPerPage)
        },
        Column("file", 11, .right, gap: 0, unit: "kB", "of these, pages of files and shared memory") {
            .number($0.file * $0.kilobytesPerPage)
        },
    ])

    /// The rows, in order of map count, and the total as a comment.
    package func text(_ context: FrameContext) -> [UInt8] {
        let kilobytesPerPage = context.pageSize / 1024
        var text = LineWriter()
        var total: UInt64 = 0
        for (count, pages) in counts.sorted(by: { $0.key < $1.key }) {
            let row = Row(
                mapCount: .of(context.view.mapCount, count), anonymous: pages.anonymous, file: pages.file,
                kilobytesPerPage: kilobytesPerPage)
            Self.table.append(row, to: &text)
            total += row.pages
        }
        text.text("# \(total) \(total * kilobytesPerPage) total\n")
        return text.bytes
    }
}
