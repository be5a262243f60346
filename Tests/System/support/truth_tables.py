"""The records that every table of a mapping or a process must hold, computed from the pages of truth.py.

With `view=HIDDEN` they are what a reader without the right to see frames must get, where the scan tells him of zero
pages; with `view=BLIND` what he gets without the scan.
"""

import collections
import math

from formats import FlagsRow, Letters, MapCountsRow, PageRow, RangeRow
from truth import PAGE

SEEN, HIDDEN, BLIND = "seen", "hidden", "blind"

LETTERS = dict(enumerate("LERUDlASWIBMasbHTGuXnxtozig")) | dict(enumerate("rmdPpOhcfH3", 32))
PAGEMAP_LETTERS = {55: "f", 56: "1", 57: "v", 58: "!", 61: "F"}
STATE_LETTERS = {"present": "P", "zero": "Z", "swapped": "S", "guard": "G", "marker": "M", "special": "X"}
# In the order in which a tie goes to the earlier one; a hole comes last.
STRIP_ORDER = "ZSGxkHaf."


def state(page, view):
    """The kind of a swap entry is hidden together with its place: it can only be called swapped."""
    if view == SEEN or page.state in ("present", "guard"):
        return page.state
    if page.state == "zero":
        return "zero" if view == HIDDEN else "present"
    return "swapped"


def frame(page, view):
    kind = page.state
    if kind in ("present", "zero"):
        return f"{page.frame:x}" if view == SEEN else "?"
    if kind == "guard" or (kind == "marker" and view == SEEN):
        return "-"
    return "{}:{}".format(*page.swap) if view == SEEN else "?"


def of_frame(page, value, view):
    """A column that only a present page has."""
    if not page.bit(63):
        return "-"
    return "?" if view != SEEN else "-" if value is None else str(value)


def names(page, view):
    return ",".join(page.names if view == SEEN else page.pagemap_names) or "-"


def page_row(page, view=SEEN):
    columns = [of_frame(page, value, view) for value in (page.count, page.cgroup, page.node)]
    return PageRow(page.address, state(page, view), frame(page, view), *columns, names(page, view))


def page_rows(pages, view=SEEN):
    return [page_row(page, view) for page in pages]


def following(row, pages=1):
    """The frame column of the page that many pages further, if it belongs to the same range."""
    if row.state in ("zero", "guard", "marker") or row.frame in ("-", "?"):
        return None
    if row.state == "present":
        return f"{int(row.frame, 16) + pages:x}"
    kind, offset = row.frame.split(":")
    return f"{kind}:{int(offset) + pages}"


def range_rows(rows):
    """The ranges that page rows of one mapping merge into."""
    merged = []
    for row in rows:
        if merged:
            last = merged[-1]
            same = (last.end, last.state, *last[5:]) == (row.address, row.state, *row[3:])
            wanted = following(last, last.pages)
            if same and wanted in (None, row.frame):
                merged[-1] = last._replace(end=row.address + PAGE, pages=last.pages + 1)
                continue
        merged.append(RangeRow(row.address, row.address + PAGE, 1, *row[1:]))
    return merged


def flags_rows(pages, view=SEEN):
    """The table of flags without its last line: most pages first, then by word and names."""
    counts = collections.Counter()
    for page in pages:
        if page.bit(63):
            word = f"{page.flags:016x}" if view == SEEN else "?"
            counts[word, names(page, view)] += 1
        else:
            counts["-", state(page, view)] += 1
    rows = [FlagsRow(number, number * PAGE // 1024, *key) for key, number in counts.items()]
    return sorted(rows, key=lambda row: (-row.pages, row.word, row.names))


def map_counts_rows(pages, view=SEEN):
    """The table of map counts without its last line. Shared memory is of a file, as bit 61 of its entries says."""
    counts = collections.defaultdict(lambda: [0, 0])
    for page in pages:
        if state(page, view) == "present":
            counts[of_frame(page, page.count, view)][page.bit(61)] += PAGE // 1024
    rows = [MapCountsRow(count, sum(both) * 1024 // PAGE, sum(both), *both) for count, both in counts.items()]
    return sorted(rows, key=lambda row: int(row.mapcount) if row.mapcount.isdecimal() else 0)


def flag_letters(page, view):
    """One position for each flag; `+` at the end for a bit that has none."""
    hidden = view != SEEN and page.bit(63)
    word = page.truthful
    kernel = "".join("?" if hidden else letter if word >> bit & 1 else "_" for bit, letter in LETTERS.items())
    own = "".join(letter if page.bit(bit) else "_" for bit, letter in PAGEMAP_LETTERS.items())
    rest = any(word >> bit & 1 for bit in range(64) if bit not in LETTERS)
    return kernel + own + ("?" if hidden else "+" if rest else "_")


def letters_rows(pages, view=SEEN):
    return [
        Letters(
            page.address,
            STATE_LETTERS[state(page, view)],
            frame(page, view),
            of_frame(page, page.count, view),
            flag_letters(page, view),
        )
        for page in pages
    ]


def strip_letter(page, view, huge):
    kind = state(page, view)
    if kind != "present":
        return {"zero": "Z", "swapped": "S", "guard": "G"}.get(kind, "x")
    if view == SEEN:
        if page.has("ksm"):
            return "k"
        huge = page.has("thp") or page.has("huge")
    if huge:
        return "H"
    anonymous = page.has("anonymous") if view == SEEN else not page.bit(61)
    return "a" if anonymous else "f" if page.bit(61) else "x"


def buckets_of(pages, ranges, sort):
    """What the pages of each bucket are, by SORT, where a hole is `.`, and how many pages a bucket holds.

    RANGES (start, end) are laid end to end.
    """
    total = sum(end - start for start, end in ranges) // PAGE
    bucket = math.ceil(total / 4096)
    base, bases = 0, []
    for start, end in ranges:
        bases.append((start, end, base))
        base += (end - start) // PAGE
    buckets = [collections.Counter() for _ in range(math.ceil(total / bucket))]
    places = iter(bases)
    start, end, base = next(places)
    for page in pages:
        while page.address >= end:
            start, end, base = next(places)
        buckets[(base + (page.address - start) // PAGE) // bucket][sort(page)] += 1
    for index, counts in enumerate(buckets):
        counts["."] = min(bucket, total - index * bucket) - counts.total()
    return buckets, bucket


def strip(pages, ranges, view=SEEN, huge=False):
    """The picture over RANGES (start, end) laid end to end, and how many pages a bucket holds.

    HUGE says whether the scan calls the present pages huge, for a view that does not see frames.
    """
    buckets, bucket = buckets_of(pages, ranges, lambda page: strip_letter(page, view, huge))
    return "".join(min(counts, key=lambda letter: (-counts[letter], STRIP_ORDER.index(letter))) for counts in buckets), bucket


def fill(pages, ranges):
    """The picture of how full each bucket is, and how many pages a bucket holds."""
    buckets, bucket = buckets_of(pages, ranges, lambda page: "entry")
    picture = ""
    for counts in buckets:
        tenths = math.ceil(counts["entry"] * 10 / counts.total())
        picture += "*" if not counts["."] else str(min(tenths, 9)) if tenths else "."
    return picture, bucket


def state_counts(pages):
    """The numbers of pages by state, as a summary prints them."""
    counts = collections.Counter(page.state.capitalize() for page in pages)
    keys = ("Present", "Swapped", "Zero", "Guard", "Marker", "Special")
    return {"Entries": len(pages)} | {key: counts[key] for key in keys}
