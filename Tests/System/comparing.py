"""Comparing what pagefs printed with the truth before and after it, since the kernel never stands still.

Flags such as `referenced`, `lru` or `dirty` flip by themselves between two readings. So what was printed must be what
was true just before it or just after it, column by column, and a comparison that fails is repeated, at most twice.
"""

import collections

import formats
import truth_tables
from formats import PageRow
from truth import BIT, PAGE

ATTEMPTS = 3
# The flags that change while nobody touches a page: by reclaim, write-back and draining of the per-CPU batches.
RESTLESS = "locked referenced dirty lru active writeback reclaim readahead unevictable idle_page".split()
RESTLESS_BITS = sum(1 << BIT[name] for name in RESTLESS if name in BIT)


def agree(read, truth, difference):
    """DIFFERENCE(what READ returns, TRUTH before, TRUTH after) is None, or says what differs."""
    for _ in range(ATTEMPTS):
        before = truth()
        got = read()
        found = difference(got, before, truth())
        if found is None:
            return
    raise AssertionError(found)


# Processes that may start or end meanwhile and map the same libraries and vdso: the reader of the mount is one of them.
NEIGHBOURS = 4


def is_near(value, old, new):
    """Whether a count of mappings of a page that several processes map is that of one of them more or less."""
    counts = sorted(int(count) if str(count).isdecimal() else 0 for count in (old, new))
    if not str(value).isdecimal() or counts[0] < 1 or int(value) + counts[1] < 3:
        return False
    return counts[0] - NEIGHBOURS <= int(value) <= counts[1] + NEIGHBOURS


def is_share(value, old, new):
    """Whether a proportional share, in kB, is that of one of them with some sharers more or less."""
    return any(abs(value - true) <= 4 + true / 3 for true in (old, new))


def unshared(row):
    """The row as it is when one process more maps its page."""
    names = [name for name in row.flags.split(",") if name not in ("mmap_exclusive", "referenced")]
    return row._replace(mapcount="+", flags=",".join(names))


def in_columns(got, before, after):
    """Rows that have each column from one of two lists of rows."""
    if len(got) not in (len(before), len(after)):
        return f"{len(got)} rows instead of {len(after)}, the first {got[:1]} instead of {after[:1]}"
    if len(before) != len(after):
        return None if got in (before, after) else "the pages moved meanwhile"
    for row, old, new in zip(got, before, after):
        if isinstance(row, PageRow) and "file" in row.flags and is_near(row.mapcount, old.mapcount, new.mapcount):
            row, old, new = unshared(row), unshared(old), unshared(new)
        for column, (name, value) in enumerate(zip(row._fields, row)):
            if name == "mapcount" and is_near(value, old.mapcount, new.mapcount):
                continue
            if name == "pss" and row.rss > row.pss and is_share(value, old.pss, new.pss):
                continue
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
        for last, row in zip(got, got[1:]):
            if (last.end, last.state, *last[5:]) == (row.start, row.state, *row[5:]) and row.start not in borders:
                if truth_tables.following(last, last.pages) in (None, row.frame):
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


def counts(got, before, after):
    """Arrays of map counts: as words, but for pages that other processes map too."""
    near = [old if is_near(value, old, new) else value for value, old, new in zip(got, before, after)]
    return words(near, before, after) if len(got) == len(after) else words(got, before, after)


def words(got, before, after):
    """Arrays of u64 that have each word from one of two."""
    if len(got) != len(after):
        return f"{len(got)} words instead of {len(after)}"
    for index, (value, old, new) in enumerate(zip(got, before, after)):
        if value not in (old, new):
            return f"word {index} is {value:x} instead of {new:x}"
    return None


def picture(data, bucket):
    """The characters of a strip whose header names the size of its buckets."""
    drawn, numbers = formats.strip(data)
    assert bucket in numbers, f"the header does not say that a bucket holds {bucket} pages"
    return drawn
