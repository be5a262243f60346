"""Comparing what pagefs printed with the truth before and after it, since the kernel never stands still.

Flags such as `referenced`, `lru` or `dirty` flip by themselves between two readings. So what was printed must be what
was true just before it or just after it, column by column, and a comparison that fails is repeated, at most twice.
"""

import collections
import itertools

import formats
import truth_tables
from formats import Letters, PageRow
from retries import attempts
from truth import BIT, PAGE

ATTEMPTS = 3
# The flags that change while nobody touches a page: by reclaim, write-back and draining of the per-CPU batches.
RESTLESS = "locked referenced dirty lru active writeback reclaim readahead unevictable idle_page".split()
RESTLESS_BITS = sum(1 << BIT[name] for name in RESTLESS if name in BIT)


def agree(read, truth, difference):
    """DIFFERENCE(what READ returns, TRUTH before, TRUTH after) is None, or says what differs."""
    for _ in attempts(ATTEMPTS, "comparison with the truth"):
        before = truth()
        got = read()
        found = difference(got, before, truth())
        if found is None:
            return
    raise AssertionError(found)


def is_of_vdso(row):
    """Whether a row is of the vdso's page, the one page that a process with libraries of its own has in common with
    every other: its map count moves whenever some process starts or ends, the reader of the mount among them."""
    if isinstance(row, PageRow):
        return row.state == "present" and {"reserved", "file"} <= set(row.flags.split(","))
    return isinstance(row, Letters) and row.state == "P" and row.flags[27] == "r" and row.flags[42] == "F"


def settled(row):
    """The row with what other processes cannot move: they map the vdso's page too, and so mark it referenced."""
    if not is_of_vdso(row):
        return row
    if isinstance(row, PageRow):
        flags = ",".join(name for name in row.flags.split(",") if name != "referenced")
    else:
        flags = row.flags[:2] + "_" + row.flags[3:]
    return row._replace(mapcount="mapped" if row.mapcount.isdecimal() and int(row.mapcount) > 0 else row.mapcount, flags=flags)


def in_columns(got, before, after):
    """Rows that have each column from one of two lists of rows."""
    if len(got) not in (len(before), len(after)):
        return f"{len(got)} rows instead of {len(after)}, the first {got[:1]} instead of {after[:1]}"
    if len(before) != len(after):
        return None if got in (before, after) else "the pages moved meanwhile"
    for row, old, new in zip(got, before, after):
        row, old, new = settled(row), settled(old), settled(new)
        for column, value in enumerate(row):
            if value not in (old[column], new[column]):
                return f"column {column} of {row} is not that of {new}"
    return None


def as_one(got, before, after):
    """A text or a list that is one of the two as a whole."""
    return None if got in (before, after) else f"{got!r} instead of {after!r}"


def expanded(rows):
    """The page rows that ranges stand for; the frame is None where ranges of that state do not tell it."""
    found = []
    for row in rows:
        for index in range(row.pages):
            frame = row.frame
            if index and frame not in ("-", "?"):
                frame = truth_tables.following(row, index)
            found.append(PageRow(row.start + index * PAGE, row.state, frame, *row[5:]))
    return found


def in_ranges(borders):
    """Ranges that stand for either list of page rows and could not be fewer; BORDERS are where mappings begin."""

    def difference(got, before, after):
        for row in got:
            if (row.end - row.start) != row.pages * PAGE:
                return f"{row} does not hold that many pages"
            if any(row.start < border < row.end for border in borders):
                return f"{row} reaches from one mapping into another"
        for last, row in itertools.pairwise(got):
            alike = (last.end, last.state, *last[5:]) == (row.start, row.state, *row[5:])
            if alike and row.start not in borders and truth_tables.following(last, last.pages) in (None, row.frame):
                return f"{last} and {row} are one"
        rows = expanded(got)
        if len(rows) == len(before) == len(after):
            rows = [row if row.frame else row._replace(frame=new.frame) for row, new in zip(rows, after)]
        return in_columns(rows, before, after)

    return difference


def calmed(rows):
    """A table of flags as it would be without the flags that change by themselves."""
    counts = collections.Counter()
    for row in rows:
        word = row.word
        if word not in ("-", "?"):
            word = f"{int(word, 16) & ~RESTLESS_BITS:016x}"
        counts[word, ",".join(name for name in row.names.split(",") if name not in RESTLESS)] += row.pages
    return counts


def in_flags(got, before, after):
    """A table of flags that is one of the two; if these differ from each other, one of them but for restless flags."""
    for row in got:
        if row.kB != row.pages * PAGE // 1024:
            return f"{row} does not hold that many kB"
    if got != sorted(got, key=lambda row: (-row.pages, row.word, row.names)):
        return "not sorted by pages, then word, then names"
    if got in (before, after):
        return None
    if before != after and calmed(got) in (calmed(before), calmed(after)):
        return None
    return f"{got} instead of {after}"


def in_map_counts(view=truth_tables.SEEN):
    """Rows that count the pages before or after. Those of the vdso may have any map count: other processes map it too."""

    def counted(rows):
        sorts = [("anon", row.mapcount, row.anon_kB) for row in rows] + [("file", row.mapcount, row.file_kB) for row in rows]
        return collections.Counter({(sort, count): kB for sort, count, kB in sorts})

    def difference(got, before, after):
        for row in got:
            if row.pages * PAGE // 1024 != row.kB or row.kB != row.anon_kB + row.file_kB or not row.pages:
                return f"{row} does not add up"
        for pages in before, after:
            own = [page for page in pages if not (page.state == "present" and page.has("reserved") and page.bit(61))]
            rest = counted(got)
            rest.subtract(counted(truth_tables.map_counts_rows(own, view)))
            wanted = sum(row.kB for row in truth_tables.map_counts_rows(pages, view))
            others = {sort for (sort, _), kB in rest.items() if kB}
            if min(rest.values(), default=0) >= 0 and others <= {"file"} and sum(row.kB for row in got) == wanted:
                return None
        return f"{got} instead of {truth_tables.map_counts_rows(after, view)}"

    return difference


def words(got, before, after):
    """Arrays of u64 that have each word from one of two."""
    if len(got) != len(after):
        return f"{len(got)} words instead of {len(after)}"
    for index, (value, old, new) in enumerate(zip(got, before, after)):
        if value not in (old, new):
            return f"word {index} is {value:x} instead of {new:x}"
    return None


def picture(data, bucket, parsed=formats.strip):
    """The characters of a picture whose header names the size of its buckets."""
    drawn, numbers = parsed(data)
    assert bucket in numbers, f"the header does not say that a bucket holds {bucket} pages"
    return drawn
