"""Tables of hundreds of thousands of rows: each row is there and true, whatever the memory is like and how it is read."""

import os
import subprocess

import pytest

import formats
from identities import NOBODY, ROOT
from oracle import Oracle
from reading import outcome, read
from running import Target, compiled
from truth_tables import BLIND, HIDDEN, SEEN

pytestmark = pytest.mark.timeout(100)

SIZE = 1200 << 20
PAGES = SIZE >> 12
MEMORY = {"dense": [], "random": ["random"], "huge": ["huge"]}
# Every pair of kinds of memory, threads, cache and way of reading page tables is here.
OPTIONS = {
    "dense": ("threads=1", "max_age=0,threads=2,noscan", "threads=4,noscan"),
    "random": ("max_age=0,threads=1,noscan", "threads=2,noscan", "max_age=0,threads=4"),
    "huge": ("threads=1,noscan", "max_age=0,threads=2", "threads=4"),
}

GIB_5 = 5 << 30
PAGES_5 = GIB_5 >> 12


@pytest.fixture(scope="module")
def memory(workspace):
    """A target with 307,200 pages in memory of some kind; one at a time, since each takes more than a gigabyte."""
    running = {}

    def start(kind):
        if kind not in running:
            while running:
                running.popitem()[1].close()
            running[kind] = Target([compiled("dense", workspace), str(SIZE), *MEMORY[kind]])
        return running[kind]

    yield start
    for one in running.values():
        one.close()


@pytest.mark.parametrize("kind, options", [(kind, options) for kind in MEMORY for options in OPTIONS[kind]])
def test_reader_of_a_stream_is_given_every_row(mount, memory, workspace, kind, options):
    """The first reading and, where answers are kept, the ones that are made from what was kept."""
    process, mine = memory(kind), mount("-o", options)
    folder = f"{mine.path}/{process.pid}/vma/{process.facts['range']}"
    with Oracle(workspace, process.pid, process.facts["range"]) as oracle:
        assert oracle.rows("pages", f"{folder}/pages") == PAGES
        ranges = oracle.rows("ranges", f"{folder}/ranges")
        assert kind != "random" or ranges > 280_000
        oracle.check_flags(f"{folder}/flags")
        if "max_age=0" not in options:
            assert oracle.rows("pages", f"{folder}/pages") == PAGES


def test_reader_of_a_range_of_addresses_is_given_every_row(mount, memory, workspace):
    """The look-up-only tables, over all but the first and the last page of the mapping."""
    process, mine = memory("huge"), mount()
    start, end = (int(part, 16) for part in process.facts["range"].split("-"))
    span = f"{start + 4096:x}-{end - 4096:x}"
    with Oracle(workspace, process.pid, span) as oracle:
        assert oracle.rows("pages", f"{mine.path}/{process.pid}/pages@{span}") == PAGES - 2
        oracle.rows("ranges", f"{mine.path}/{process.pid}/ranges@{span}")
        oracle.check_flags(f"{mine.path}/{process.pid}/flags@{span}")


@pytest.mark.parametrize("kind", ["huge", "random"])
def test_reader_of_the_whole_process_is_given_every_row_of_the_mapping(mount, memory, kind):
    process, mine = memory(kind), mount()
    start, end = (int(part, 16) for part in process.facts["range"].split("-"))
    within = f"/^#/ {{ next }} {{ at = $1 }} at >= \"{start:x}\" && at < \"{end:x}\" {{ rows++; pages += $3 }} END {{ print rows, pages }}"
    base = f"{mine.path}/{process.pid}"
    assert outcome(["awk", within, f"{base}/pages"]).stdout.split()[0] == str(PAGES).encode()
    assert outcome(["awk", within, f"{base}/ranges"]).stdout.split()[1] == str(PAGES).encode()


class Alike:
    """5 GiB of pages that are all alike, of a plain user's process, and what is told of them UNDER an identity, by a mount of it."""

    def __init__(self, kind, mount, target, workspace, under, options):
        self.process = target("equal", GIB_5, kind, under=NOBODY)
        if self.process.facts["guard"] == "no":
            pytest.skip("this kernel has no guard pages")
        self.under, self.workspace = under, workspace
        self.view = SEEN if under is ROOT else BLIND if "noscan" in options else HIDDEN
        self.mount = mount("-o", options, under=under)
        self.base = f"{self.mount.path}/{self.process.pid}"
        self.folder = f"{self.base}/vma/{self.process.facts['range']}"

    def saved(self):
        """The text of `ranges`, read by the user and kept in a file for the oracle."""
        path = os.path.join(self.workspace, "ranges.txt")

        def make():
            with open(path, "wb") as file:
                done = outcome(["cat", f"{self.folder}/ranges"], self.under, stdout=file, stderr=subprocess.PIPE)
            assert (done.returncode, done.stderr) == (0, b"")

        with Oracle(self.workspace, self.process.pid, self.process.facts["range"], self.view) as oracle:
            oracle.rows("ranges", path, make)
        with open(path, "rb") as file:
            return file.read()


@pytest.mark.parametrize("kind, under, options", [
    ("guard", ROOT, "max_age=0"), ("guard", NOBODY, "max_age=0,noscan"), ("zero", ROOT, "max_age=1000"),
    ("zero", NOBODY, "max_age=0"), ("zero", NOBODY, "noscan"), ("zero", ROOT, "max_age=0,threads=1,noscan"),
])
def test_ranges_of_5_GiB_of_equal_pages_lists_all_of_them(mount, target, workspace, kind, under, options):
    """However long pages go on to merge, they are in a row in the end; here all are in one.

    Without the scan nobody tells a plain user that a page is the zero page: 5 GiB of present pages whose frames are hidden.
    """
    alike = Alike(kind, mount, target, workspace, under, options)
    (row,) = formats.ranges(alike.saved())
    assert row.pages == PAGES_5
    assert row.state == ("present" if kind == "zero" and alike.view == BLIND else kind)


def test_ranges_of_a_process_and_of_addresses_list_all_pages_of_5_GiB(mount, target, workspace):
    """The tables over several mappings go on to merge as long."""
    alike = Alike("guard", mount, target, workspace, ROOT, "max_age=1000")
    span = alike.process.facts["range"]
    start, end = (int(part, 16) for part in span.split("-"))
    (row,) = formats.ranges(read(f"{alike.base}/ranges@{start:x}-{end:x}"))
    assert (row.start, row.end, row.pages) == (start, end, PAGES_5)
    (row,) = [row for row in formats.ranges(read(f"{alike.base}/ranges")) if row.start == start]
    assert (row.end, row.pages) == (end, PAGES_5)
