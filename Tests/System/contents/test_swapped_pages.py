"""Pages that are pushed out to a swap device which these tests make: TYPE:OFFSET, and what the kernel does not tell."""

import pytest

import formats
import truth
import truth_tables
from comparing import agree, as_one, in_columns, in_flags, in_map_counts, in_ranges, picture
from machine import zram_swap
from reading import process_status, read, until
from truth import PAGE, mapping_of
from truth_mappings import kilobytes, smaps

PAGES = 200


@pytest.fixture(scope="module")
def swap():
    with zram_swap() as device:
        yield device


class Swapped:
    """A target whose pages are on the swap device, but for every tenth, which came back."""

    def __init__(self, target):
        self.target = target("swapped", PAGES)
        self.pid = self.target.pid
        self.private, self.shared = (self._mapping(name) for name in ("private", "shared"))
        # A page that is just in use elsewhere, by migration say, is passed over: ask until all are out.
        until(self._is_out, 30, "the swapping out")
        self.back = [self.private.start + index * PAGE for index in range(0, PAGES, 10)]
        for address in self.back:
            assert self.target.tell(f"touch {address:x}") == "ok"

    def _mapping(self, name):
        return mapping_of(self.pid, int(self.target.facts[name].partition("-")[0], 16))

    def _is_out(self):
        assert self.target.tell("out") == "ok"
        values = smaps(self.pid)
        return all(kilobytes(values[one], "Swap") == PAGES * PAGE // 1024 for one in (self.private, self.shared))

    def pages(self):
        return truth.pages(self.pid, self.private.start, self.private.end)


@pytest.fixture
def swapped(swap, target):
    return Swapped(target)


@pytest.fixture
def folder(tree, swapped):
    return f"{tree.path}/{swapped.pid}/vma/{swapped.private.range}"


def test_states(folder, swapped):
    rows = formats.pages(read(folder + "/pages"))
    assert len(rows) == PAGES
    for row in rows:
        assert row.state == ("present" if row.address in swapped.back else "swapped")


def test_type_and_offset(folder, swap):
    """Offsets lie on the device, each page has its own, and the columns of a frame do not apply."""
    swapped = [row for row in formats.pages(read(folder + "/pages")) if row.state == "swapped"]
    with open("/proc/swaps") as swaps:
        lines = [line.split() for line in swaps.read().splitlines()[1:]]
    sizes = [int(size) * 1024 // PAGE for name, _, size, *_ in lines]
    numbers = [tuple(map(int, row.frame.split(":"))) for row in swapped]
    assert numbers and len(set(numbers)) == len(numbers)
    assert all(kind < 24 and 1 <= offset <= max(sizes) for kind, offset in numbers)
    if len(lines) == 1:
        assert len({kind for kind, _ in numbers}) == 1
    assert {row[3:6] for row in swapped} == {("-", "-", "-")}


def test_pages(folder, swapped):
    agree(
        lambda: formats.pages(read(folder + "/pages")), lambda: truth_tables.page_rows(swapped.pages()), in_columns
    )


def test_ranges(folder, swapped):
    agree(
        lambda: formats.ranges(read(folder + "/ranges")), lambda: truth_tables.page_rows(swapped.pages()), in_ranges(())
    )


def test_flags(folder, swapped):
    agree(lambda: formats.flags(read(folder + "/flags")), lambda: truth_tables.flags_rows(swapped.pages()), in_flags)


def test_map_counts(folder, swapped):
    """Only of the pages that came back."""
    agree(lambda: formats.map_counts(read(folder + "/mapcounts")), swapped.pages, in_map_counts())
    assert sum(row.pages for row in formats.map_counts(read(folder + "/mapcounts"))) == len(swapped.back)


def test_fill(folder):
    """What is swapped out has an entry."""
    assert picture(read(folder + "/fill"), 1, formats.fill) == "*" * PAGES


def test_letters(folder, swapped):
    agree(
        lambda: formats.letters(read(folder + "/letters"), swapped.private.range),
        lambda: truth_tables.letters_rows(swapped.pages()),
        in_columns,
    )


def test_strip(folder, swapped):
    span = [(swapped.private.start, swapped.private.end)]
    agree(lambda: picture(read(folder + "/strip"), 1), lambda: truth_tables.strip(swapped.pages(), span)[0], as_one)


def test_summary(folder, swapped):
    values = formats.report(read(folder + "/summary"))
    assert int(values["Swapped"]) == PAGES - len(swapped.back)
    assert int(values["Present"]) == len(swapped.back)
    assert values["Swap"] == f"{(PAGES - len(swapped.back)) * PAGE // 1024} kB"


def test_summary_of_the_process(tree, swapped):
    """Swapped entries are the process's VmSwap: the shared pages are in neither."""
    values = formats.report(read(f"{tree.path}/{swapped.pid}/summary"))
    assert int(values["Swapped"]) * PAGE // 1024 == int(process_status(swapped.pid, "VmSwap"))


def test_swapped_shared_pages_have_no_entry(tree, swapped):
    """The kernel clears the entries of shared memory that it swaps out; only smaps knows how much there is."""
    folder = f"{tree.path}/{swapped.pid}/vma/{swapped.shared.range}"
    assert formats.pages(read(folder + "/pages")) == []
    values = formats.report(read(folder + "/summary"))
    assert values["Swap"] == f"{PAGES * PAGE // 1024} kB" and values["Swapped"] == "0"


def test_a_page_that_comes_back(folder, swapped):
    address = swapped.private.start + PAGE
    assert swapped.target.tell(f"touch {address:x}") == "ok"
    row = next(row for row in formats.pages(read(folder + "/pages")) if row.address == address)
    assert row.state == "present"
