"""The tables over a whole process, and over any range of its addresses: they follow from the pages of its mappings."""

import pytest

import formats
import truth
import truth_tables
from comparing import agree, as_one, in_columns, in_flags, in_map_counts, in_ranges, picture
from reading import errno_of, names, read
from truth import PAGE, mappings


@pytest.fixture
def zoo(alone):
    return alone("zoo")


def spans(pid):
    return [(one.start, one.end) for one in mappings(pid)]


def seen(pid, start=0, end=1 << 64):
    """All pages of the process within some addresses, by way of its mappings."""
    found = []
    for first, last in spans(pid):
        if max(first, start) < min(last, end):
            found += truth.pages(pid, max(first, start), min(last, end))
    return found


def borders(pid):
    return {start for start, _ in spans(pid)}


def test_pages(tree, zoo):
    path = f"{tree.path}/{zoo.pid}/pages"
    agree(lambda: formats.pages(read(path)), lambda: truth_tables.page_rows(seen(zoo.pid)), in_columns)


@pytest.mark.quick
def test_pages_are_those_of_the_mappings(tree, zoo):
    """One after the other, the tables of the mappings are the table of the process."""
    base = f"{tree.path}/{zoo.pid}"

    def each():
        return [row for one in mappings(zoo.pid) for row in formats.pages(read(f"{base}/vma/{one.range}/pages"))]

    agree(lambda: formats.pages(read(base + "/pages")), each, in_columns)


def test_ranges(tree, zoo):
    path = f"{tree.path}/{zoo.pid}/ranges"
    rows = lambda: truth_tables.page_rows(seen(zoo.pid))  # noqa: E731
    agree(lambda: formats.ranges(read(path)), rows, in_ranges(borders(zoo.pid)))


def test_flags(tree, zoo):
    path = f"{tree.path}/{zoo.pid}/flags"
    agree(lambda: formats.flags(read(path)), lambda: truth_tables.flags_rows(seen(zoo.pid)), in_flags)


def test_map_counts(tree, zoo):
    path = f"{tree.path}/{zoo.pid}/mapcounts"
    agree(lambda: formats.map_counts(read(path)), lambda: seen(zoo.pid), in_map_counts())


def test_strip(tree, zoo):
    """All mappings end to end, without the gaps between them."""
    path = f"{tree.path}/{zoo.pid}/strip"
    _, bucket = truth_tables.strip([], spans(zoo.pid))
    drawn = lambda: truth_tables.strip(seen(zoo.pid), spans(zoo.pid))[0]  # noqa: E731
    agree(lambda: picture(read(path), bucket), drawn, as_one)


def test_fill(tree, zoo):
    path = f"{tree.path}/{zoo.pid}/fill"
    _, bucket = truth_tables.fill([], spans(zoo.pid))
    drawn = lambda: truth_tables.fill(seen(zoo.pid), spans(zoo.pid))[0]  # noqa: E731
    agree(lambda: picture(read(path), bucket, formats.fill), drawn, as_one)


def test_mappings_are_listed_in_order_without_a_gap(tree, zoo):
    listed = [name.decode() for name in names(f"{tree.path}/{zoo.pid}/vma")]
    assert listed == [one.range for one in mappings(zoo.pid)]


@pytest.fixture
def windows(zoo):
    """Ranges of addresses inside a mapping, across gaps, over everything, and in a gap."""
    kinds = {name: tuple(int(part, 16) for part in zoo.facts[name].split("-")) for name in ("mixed", "guard", "thp")}
    mixed, guard, thp = kinds["mixed"], kinds["guard"], kinds["thp"]
    return [
        (mixed[0] + PAGE, mixed[0] + 5 * PAGE),
        (mixed[0] + 2 * PAGE, mixed[0] + 3 * PAGE),
        (thp[0] + 100 * PAGE, guard[0] + 4 * PAGE),
        (mixed[0] - PAGE, mixed[1] + PAGE),
        (mixed[1], mixed[1] + 16 * PAGE),
        (mappings(zoo.pid)[0].start, guard[1]),
    ]


@pytest.mark.quick
def test_pages_of_any_range(tree, zoo, windows):
    for start, end in windows:
        path = f"{tree.path}/{zoo.pid}/pages@{start:x}-{end:x}"
        rows = lambda: truth_tables.page_rows(seen(zoo.pid, start, end))  # noqa: E731
        agree(lambda: formats.pages(read(path)), rows, in_columns)


def test_ranges_of_any_range(tree, zoo, windows):
    for start, end in windows:
        path = f"{tree.path}/{zoo.pid}/ranges@{start:x}-{end:x}"
        rows = lambda: truth_tables.page_rows(seen(zoo.pid, start, end))  # noqa: E731
        agree(lambda: formats.ranges(read(path)), rows, in_ranges(borders(zoo.pid)))


def test_flags_of_any_range(tree, zoo, windows):
    for start, end in windows:
        path = f"{tree.path}/{zoo.pid}/flags@{start:x}-{end:x}"
        rows = lambda: truth_tables.flags_rows(seen(zoo.pid, start, end))  # noqa: E731
        agree(lambda: formats.flags(read(path)), rows, in_flags)


def test_map_counts_of_any_range(tree, zoo, windows):
    for start, end in windows:
        path = f"{tree.path}/{zoo.pid}/mapcounts@{start:x}-{end:x}"
        rows = lambda: seen(zoo.pid, start, end)  # noqa: E731
        agree(lambda: formats.map_counts(read(path)), rows, in_map_counts())


@pytest.mark.parametrize("table", ["pages", "ranges", "flags", "mapcounts"])
@pytest.mark.parametrize(
    "span",
    [
        "2000-1000",
        "1000-1000",
        "1001-2000",
        "1000-2001",
        "01000-2000",
        "0x1000-0x2000",
        "1000-2000 ",
        "1000",
        "-2000",
        "1000-",
        "1000-3000-5000",
        "10000000000000000-20000000000000000",
        "A000-B000",
        "",
    ],
)
def test_ranges_that_are_none(tree, zoo, table, span):
    assert errno_of("open", f"{tree.path}/{zoo.pid}/{table}@{span}") == "ENOENT"
