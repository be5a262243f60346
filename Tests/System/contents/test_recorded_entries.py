"""What no machine makes on demand, from a recording: special swap types, every flag alone, the kernel's lies."""

import struct

import pytest

import formats
import truth_tables
from comparing import in_columns, in_flags, in_ranges, picture
from reading import read
from recording import PID, START, record
from truth import BIT, PAGE, Page

pytestmark = pytest.mark.quick

PRESENT, SWAP = 1 << 63, 1 << 62
FRAME = 0x1000


def swap_entry(kind, offset, *bits):
    return SWAP | kind | offset << 5 | sum(1 << bit for bit in bits)


# Not present: the words that the kernel's interfaces are known to give.
SPECIAL = {
    "swap type 0": (swap_entry(0, 88231), "swapped", "0:88231"),
    "swap type 23": (swap_entry(23, 1), "swapped", "23:1"),
    "swap softdirty": (swap_entry(1, 7, 55), "swapped", "1:7"),
    "hwpoison": (swap_entry(24, 0x1234), "special", "24:4660"),
    "migration read": (swap_entry(28, 0x1234), "special", "28:4660"),
    "migration write, file": (swap_entry(30, 0x1235, 61), "special", "30:4661"),
    "device private": (swap_entry(29, 9), "special", "29:9"),
    "guard": (0x440000000000009F, "guard", "-"),
    "uffd-wp marker": (swap_entry(31, 1, 57), "marker", "-"),
    "poison marker": (swap_entry(31, 2), "marker", "-"),
    "largest offset": (swap_entry(2, (1 << 50) - 1), "swapped", f"2:{(1 << 50) - 1}"),
}


def combined(names):
    return sum(1 << BIT[name] for name in names.split())


# Flag words whose meaning depends on more than one bit, and the names that they must get.
WORDS = {
    combined("slab mmap anonymous swapcache ksm"): "slab",
    combined("pgtable anonymous ksm"): "pgtable",
    combined("offline mmap"): "offline",
    combined("buddy anonymous uptodate"): "uptodate,buddy",
    combined("anonymous owner_2"): "anonymous,anon_exclusive",
    combined("slab anonymous owner_2"): "slab,owner_2",
    combined("reclaim"): "readahead",
    combined("reclaim writeback"): "writeback,reclaim",
    combined("anonymous ksm mmap"): "mmap,anonymous,ksm",
    0: "-",
    1 << 27 | 1 << 43 | 1: "locked,bit27,bit43",
}


def recorded_pages():
    """Special entries first, then a hole, then a present page for each word and for each bit alone."""
    pages = [Page(START + index * PAGE, entry) for index, (entry, _, _) in enumerate(SPECIAL.values())]
    first = len(pages) + 1
    for index, word in enumerate([*WORDS, *(1 << bit for bit in range(64))]):
        address, frame = START + (first + index) * PAGE, FRAME + 2 * index
        entry = PRESENT | frame | (index % 2) << 61 | (index % 3 == 0) << 55
        pages.append(Page(address, entry, word, index, 4000 + index))
    # Neighbours that merge: frames and places in swap that follow each other, guards and markers in any case.
    at = pages[-1].address + 2 * PAGE
    alike = [Page(0, PRESENT | 0x2000 + index, 1 << 12, 1, 5) for index in range(3)]
    alike += [Page(0, swap_entry(28, 0x500 + index)) for index in range(3)]
    alike += [Page(0, swap_entry(0, offset)) for offset in (5, 6, 8, 7)]
    alike += [Page(0, 0x440000000000009F)] * 3 + [Page(0, swap_entry(31, 2))] * 2
    return pages + [page._replace(address=at + index * PAGE) for index, page in enumerate(alike)]


@pytest.fixture
def recorded(mount, tmp_path):
    """The pages, and the folder of their mapping in a mount of the recording."""
    pages = recorded_pages()
    count = (pages[-1].address - START) // PAGE + 3
    span = record(tmp_path, pages, count)
    return pages, f"{mount('-o', f'proc={tmp_path},max_age=0').path}/{PID}/vma/{span}", count


def test_states_and_frames(recorded):
    _, folder, _ = recorded
    rows = formats.pages(read(folder + "/pages"))[: len(SPECIAL)]
    for row, (name, (_, state, frame)) in zip(rows, SPECIAL.items()):
        assert (row.state, row.frame, row.mapcount, row.cgroup, row.node) == (state, frame, "-", "-", "-"), name


def test_names_of_words(recorded):
    _, folder, _ = recorded
    at = {row.address: row for row in formats.pages(read(folder + "/pages"))}
    own = {"softdirty", "file"}
    for index, (word, names) in enumerate(WORDS.items()):
        row = at[START + (len(SPECIAL) + 1 + index) * PAGE]
        found = ",".join(name for name in row.flags.split(",") if name not in own) or "-"
        assert found == names, f"{word:x}"


def test_tables(recorded):
    pages, folder, count = recorded
    rows = truth_tables.page_rows(pages)
    assert in_columns(formats.pages(read(folder + "/pages")), rows, rows) is None
    ranges = formats.ranges(read(folder + "/ranges"))
    assert in_ranges(())(ranges, rows, rows) is None and ranges == truth_tables.range_rows(rows)
    flags = truth_tables.flags_rows(pages)
    assert in_flags(formats.flags(read(folder + "/flags")), flags, flags) is None
    assert formats.map_counts(read(folder + "/mapcounts")) == truth_tables.map_counts_rows(pages)
    letters = truth_tables.letters_rows(pages)
    span = folder.rpartition("/")[2]
    assert in_columns(formats.letters(read(folder + "/letters"), span), letters, letters) is None
    drawn, bucket = truth_tables.strip(pages, [(START, START + count * PAGE)])
    assert picture(read(folder + "/strip"), bucket) == drawn
    drawn, bucket = truth_tables.fill(pages, [(START, START + count * PAGE)])
    assert picture(read(folder + "/fill"), bucket, formats.fill) == drawn


def test_map_counts_that_were_not_recorded(mount, tmp_path):
    """Unknown is not hidden."""
    pages = recorded_pages()
    span = record(tmp_path, pages, (pages[-1].address - START) // PAGE + 3)
    (tmp_path / "kpagecount").unlink()
    table = read(f"{mount('-o', f'proc={tmp_path},max_age=0').path}/{PID}/vma/{span}/mapcounts")
    assert formats.map_counts(table) == truth_tables.map_counts_rows([page._replace(count=None) for page in pages])


@pytest.mark.parametrize("name", ["pagemap", "kpageflags", "kpagecount", "kpagecgroup"])
def test_raw(recorded, name):
    """The raw words are the kernel's own, with everything that is wrong in them."""
    pages, folder, count = recorded
    field = {"pagemap": "entry", "kpageflags": "flags", "kpagecount": "count", "kpagecgroup": "cgroup"}[name]
    expected = [0] * count
    for page in pages:
        expected[(page.address - START) // PAGE] = getattr(page, field) or 0
    assert list(struct.unpack(f"={count}Q", read(f"{folder}/raw/{name}"))) == expected


def test_counts(recorded):
    pages, folder, _ = recorded
    values = formats.report(read(folder + "/summary"))
    counts = truth_tables.state_counts(pages)
    assert counts["Special"] > 3 and counts["Marker"] > 2
    assert {key: int(values[key]) for key in counts} == counts
