"""Strict parsers of every text that pagefs prints: what is not exactly as the tree's description says fails here."""

import datetime
import itertools
import re
from typing import NamedTuple

PAGES = "address state frame mapcount cgroup node flags"
RANGES = "start end pages state frame mapcount cgroup node flags"
FLAGS = "pages kB flags-word names"
MAP_COUNTS = "mapcount pages kB anon_kB file_kB"
LAYOUT = "range perms size_kB rss_kB pss_kB uss_kB swap_kB label name"
FILES = "range mode device inode offset deleted path"

HEX = re.compile(r"0|[1-9a-f][0-9a-f]*")
DECIMAL = re.compile(r"0|[1-9][0-9]*")
TAKEN = re.compile(r"taken (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)")
WIDTH = 95


class PageRow(NamedTuple):
    address: int
    state: str
    frame: str
    mapcount: str
    cgroup: str
    node: str
    flags: str


class RangeRow(NamedTuple):
    start: int
    end: int
    pages: int
    state: str
    frame: str
    mapcount: str
    cgroup: str
    node: str
    flags: str


class FlagsRow(NamedTuple):
    pages: int
    kB: int
    word: str
    names: str


class MapCountsRow(NamedTuple):
    mapcount: str
    pages: int
    kB: int
    anon_kB: int
    file_kB: int


class Letters(NamedTuple):
    address: int
    state: str
    frame: str
    mapcount: str
    flags: str


class LayoutRow(NamedTuple):
    range: str
    perms: str
    size: int
    rss: int
    pss: int
    uss: int
    swap: int
    label: str
    name: str


class FilesRow(NamedTuple):
    range: str
    mode: str
    device: str
    inode: int
    offset: int
    deleted: str
    path: str


def hexadecimal(text):
    assert HEX.fullmatch(text), f"not a lower-case hexadecimal number: {text!r}"
    return int(text, 16)


def decimal(text):
    assert DECIMAL.fullmatch(text), f"not a decimal number: {text!r}"
    return int(text)


def check_taken(header):
    """The header says when it was taken, and that was in this hour."""
    found = TAKEN.search(header)
    assert found, f"no time in {header!r}"
    taken = datetime.datetime.fromisoformat(found[1].replace("Z", "+00:00"))
    age = datetime.datetime.now(datetime.UTC) - taken
    assert abs(age.total_seconds()) < 3600, f"{header!r} was not taken now"


def table(data, columns):
    """The records of a table, each a list of as many fields as there are columns; only the last may hold blanks."""
    text = data.decode()
    assert text.endswith("\n"), f"the last line has no end: {text[-80:]!r}"
    header, titles, *lines = text[:-1].split("\n")
    assert header.startswith("# ") and header.endswith("Z"), header
    check_taken(header)
    assert titles.startswith("#") and titles[1:].split() == columns.split(), titles
    count = len(columns.split())
    records = []
    for line in lines:
        fields = re.split(" +", line.lstrip(" "), maxsplit=count - 1)
        assert len(fields) == count and all(fields), f"not {count} fields: {line!r}"
        records.append(fields)
    return records


def pages(data):
    rows = [PageRow(hexadecimal(first), *rest) for first, *rest in table(data, PAGES)]
    assert all(" " not in row.flags for row in rows), "a blank in the last column"
    addresses = [row.address for row in rows]
    assert addresses == sorted(set(addresses)), "addresses do not rise"
    return rows


def ranges(data):
    rows = []
    for start, end, count, *rest in table(data, RANGES):
        rows.append(RangeRow(hexadecimal(start), hexadecimal(end), decimal(count), *rest))
    assert all(before.end <= after.start for before, after in itertools.pairwise(rows)), "ranges overlap or fall"
    return rows


def flags(data):
    """The rows without the last, which must be their total."""
    rows = []
    for count, kilobytes, word, names in table(data, FLAGS):
        rows.append(FlagsRow(decimal(count), decimal(kilobytes), word, names))
        assert word in ("-", "?") or re.fullmatch("[0-9a-f]{16}", word), word
    *rows, total = rows
    sums = (sum(row.pages for row in rows), sum(row.kB for row in rows))
    assert total == (*sums, "-", "total"), f"{total} is not the total {sums}"
    return rows


def map_counts(data):
    """The rows, their numbers right-aligned; the last line must be their total."""
    records, _, total = data[:-1].rpartition(b"\n")
    assert len({len(line) for line in records.split(b"\n")[1:]}) == 1, "the columns are not aligned"
    rows = [MapCountsRow(count, *map(decimal, numbers)) for count, *numbers in table(records + b"\n", MAP_COUNTS)]
    counts = [row.mapcount for row in rows]
    assert counts in (["?"], ["-"]) or [*map(decimal, counts)] == sorted({*map(int, counts)}), f"counts do not rise: {counts}"
    sums = (sum(row.pages for row in rows), sum(row.kB for row in rows))
    assert data.endswith(b"\n") and total.decode() == "# {} {} total".format(*sums), f"{total} is not the total {sums}"
    return rows


def letters(data, mapping_range):
    """Lines of one width; line 0 is the header."""
    assert len(data) % WIDTH == 0, f"{len(data)} bytes are no lines of {WIDTH}"
    lines = [data[at : at + WIDTH].decode() for at in range(0, len(data), WIDTH)]
    assert all(line.endswith("\n") and line.count("\n") == 1 for line in lines)
    assert lines[0].startswith("# ") and mapping_range in lines[0], lines[0]
    rows = []
    for line in lines[1:]:
        assert (line[16], line[18], line[38], line[49]) == (" ",) * 4, repr(line)
        fields = (line[19:38], line[39:49], line[50:94])
        rows.append(Letters(hexadecimal(line[:16].rstrip()), line[17], *(field.rstrip() for field in fields)))
        assert line[17] in "PZSGMX.", repr(line)
    return rows


def picture(data):
    """The lines of its header, and its characters in one string."""
    text = data.decode()
    assert text.endswith("\n")
    lines = text[:-1].split("\n")
    header = [line for line in lines if line.startswith("#")]
    rows = lines[len(header) :]
    assert header and lines[: len(header)] == header, "the header is not at the beginning"
    check_taken(header[0])
    assert len(rows) <= 64 and all(len(row) == 64 for row in rows[:-1]) and len(rows[-1]) <= 64, rows
    return header, "".join(rows)


def strip(data):
    """The picture in one string, and the numbers that its header mentions."""
    header, drawn = picture(data)
    assert re.fullmatch(r"[.afHZSGkx]+", drawn), drawn
    return drawn, {int(word) for line in header for word in re.findall(r"\b\d+\b", line)}


def fill(data):
    """The picture in one string, and how many pages a bucket holds."""
    (_, scale), drawn = picture(data)
    found = re.fullmatch(r"# one character is (1 page|\d+ pages): \. none has an entry, 1-9 tenths have, \* all", scale)
    assert found and len(scale) <= 80, scale
    assert re.fullmatch(r"[.1-9*]+", drawn), drawn
    return drawn, {int(found[1].split()[0])}


def report(data):
    """A dictionary KEY -> value text, in the order of the lines."""
    text = data.decode()
    assert text.endswith("\n")
    found = {}
    for line in text[:-1].split("\n"):
        key, colon, value = line.partition(":")
        assert colon and key == key.strip() and key not in found, f"no report line: {line!r}"
        found[key] = value.strip(" \t")
    return found


def layout(data):
    rows = []
    for span, perms, *numbers, label, name in table(data, LAYOUT):
        rows.append(LayoutRow(span, perms, *map(decimal, numbers), label, name))
    return rows


def files(data):
    rows = []
    for span, mode, device, inode, offset, deleted, path in table(data, FILES):
        rows.append(FilesRow(span, mode, device, decimal(inode), int(offset, 16), deleted, path))
    return rows
