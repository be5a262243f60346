"""A mount by a plain user: his own processes without their frames, nothing of anybody else's."""

import struct

import pytest

import formats
import truth
import truth_tables
from comparing import agree, as_one, in_columns, in_flags, in_map_counts, in_ranges, picture, words
from exhibits import STATES, shown
from identities import NOBODY
from reading import errno_of, names, python, read
from truth_mappings import kilobytes, smaps
from truth_tables import BLIND, HIDDEN

REFUSED = ("EACCES", "EPERM")


@pytest.fixture(params=["scan", "noscan"])
def plain(request, mount):
    """The plain user's mount, and what he can tell: with the scan, also which pages are zero pages."""
    options = "max_age=0" if request.param == "scan" else "max_age=0,noscan"
    return mount("-o", options, under=NOBODY), HIDDEN if request.param == "scan" else BLIND


@pytest.fixture
def zoo(target):
    return target("zoo", under=NOBODY)


@pytest.mark.parametrize("kind", STATES)
def test_pages_without_frames(plain, alone, kind):
    """Every table of a mapping, as far as its owner may see it."""
    tree, view = plain
    with shown(kind, alone, under=NOBODY) as (pid, mapping):
        folder = f"{tree.path}/{pid}/vma/{mapping.range}"
        span = [(mapping.start, mapping.end)]
        values = smaps(pid)[mapping]
        huge = view == HIDDEN and (kind == "hugetlb" or kilobytes(values, "AnonHugePages") == kilobytes(values, "Size"))

        def seen():
            return truth.pages(pid, mapping.start, mapping.end)

        def rows():
            return truth_tables.page_rows(seen(), view)

        def text(name):
            return read(f"{folder}/{name}", under=NOBODY)

        agree(lambda: formats.pages(text("pages")), rows, in_columns)
        agree(lambda: formats.ranges(text("ranges")), rows, in_ranges(()))
        agree(lambda: formats.flags(text("flags")), lambda: truth_tables.flags_rows(seen(), view), in_flags)
        agree(lambda: formats.map_counts(text("mapcounts")), seen, in_map_counts(view))
        agree(
            lambda: formats.letters(text("letters"), mapping.range),
            lambda: truth_tables.letters_rows(seen(), view),
            in_columns,
        )
        drawn = lambda: truth_tables.strip(seen(), span, view, huge)[0]  # noqa: E731
        agree(lambda: picture(text("strip"), 1), drawn, as_one)
        agree(lambda: picture(text("fill"), 1, formats.fill), lambda: truth_tables.fill(seen(), span)[0], as_one)


@pytest.mark.quick
def test_hidden_is_neither_zero_nor_absent(plain, zoo):
    tree, _ = plain
    rows = formats.pages(read(f"{tree.path}/{zoo.pid}/vma/{zoo.facts['written']}/pages", under=NOBODY))
    assert {row[2:6] for row in rows} == {("?", "?", "?", "?")}
    assert {row.flags for row in rows} == {"mmap_exclusive"}


def test_map_counts_are_hidden_but_not_which_pages_are_of_files(plain, zoo):
    tree, _ = plain
    for kind, wanted in ("forked", ("?", 4, 16, 16, 0)), ("memfd", ("?", 5, 20, 0, 20)):
        assert formats.map_counts(read(f"{tree.path}/{zoo.pid}/vma/{zoo.facts[kind]}/mapcounts", under=NOBODY)) == [wanted]


def test_zero_pages_are_told_by_the_scan(plain, zoo):
    tree, view = plain
    rows = formats.pages(read(f"{tree.path}/{zoo.pid}/vma/{zoo.facts['readfault']}/pages", under=NOBODY))
    assert {row.state for row in rows} == {"zero" if view == HIDDEN else "present"}


def test_guard_pages_are_told(plain, zoo):
    tree, _ = plain
    if zoo.facts["guard"].startswith("none:"):
        pytest.skip(f"this kernel has no guard pages: {zoo.facts['guard']}")
    rows = formats.pages(read(f"{tree.path}/{zoo.pid}/vma/{zoo.facts['guard']}/pages", under=NOBODY))
    assert [row for row in rows if row.state == "guard"] == [row for row in rows if row.flags == "guard"]
    assert sum(row.state == "guard" for row in rows) == 3


def test_raw_pagemap_is_what_the_kernel_gives_its_owner(plain, zoo):
    tree, _ = plain
    start, end = (int(part, 16) for part in zoo.facts["mixed"].split("-"))
    count = (end - start) // truth.PAGE

    def array(data):
        return struct.unpack(f"={count}Q", data)

    def own():
        code = "f = os.open(args[0], os.O_RDONLY); result = os.pread(f, int(args[2]), int(args[1])).hex()"
        where = (f"/proc/{zoo.pid}/pagemap", str(start // truth.PAGE * 8), str(count * 8))
        return array(bytes.fromhex(python(code, *where, under=NOBODY)))

    path = f"{tree.path}/{zoo.pid}/vma/{zoo.facts['mixed']}/raw/pagemap"
    agree(lambda: array(read(path, under=NOBODY)), own, words)
    assert not any(word & (1 << 55) - 1 for word in own()), "the kernel shows frames to a plain user"


@pytest.mark.parametrize("name", ["kpageflags", "kpagecount", "kpagecgroup"])
def test_raw_frames_are_refused(plain, zoo, name):
    tree, _ = plain
    path = f"{tree.path}/{zoo.pid}/vma/{zoo.facts['written']}/raw/{name}"
    assert errno_of("read", path, under=NOBODY) in REFUSED


OF_A_PROCESS = ["pages", "ranges", "flags", "mapcounts", "strip", "fill", "layout", "files", "summary"]


@pytest.mark.quick
@pytest.mark.parametrize("name", [*OF_A_PROCESS, "pages@1000-2000", "mapcounts@1000-2000"])
def test_tables_of_other_users_are_refused(plain, target, name):
    tree, _ = plain
    other = target("zoo")
    assert errno_of("read", f"{tree.path}/{other.pid}/{name}", under=NOBODY) in REFUSED


def test_mappings_of_other_users_are_refused(plain, target):
    tree, _ = plain
    other = target("zoo")
    base = f"{tree.path}/{other.pid}"
    assert errno_of("list", base + "/vma", under=NOBODY) in REFUSED
    for name in ("pages", "summary", "maps", "raw/pagemap"):
        assert errno_of("read", f"{base}/vma/{other.facts['written']}/{name}", under=NOBODY) in REFUSED


def test_what_everybody_may_know_of_other_users(plain, target):
    """As /proc does, the tree names other users' processes and tells of them what their status says."""
    tree, _ = plain
    other = target("zoo")
    assert str(other.pid).encode() in names(tree.path, under=NOBODY)
    info = formats.report(read(f"{tree.path}/{other.pid}/info", under=NOBODY))
    assert (info["Pid"], info["Name"], info["Executable"]) == (str(other.pid), "zoo", "?")


def test_only_the_user_enters_his_mount(plain):
    """Without allow_other not even root can, whatever the options."""
    tree, _ = plain
    assert errno_of("list", tree.path) == "EACCES"


def test_capabilities_say_that_frames_are_hidden(plain):
    tree, _ = plain
    values = formats.report(read(tree.path + "/capabilities", under=NOBODY))
    assert any(value.startswith("no (") for value in values.values()), values


def test_summary_of_an_own_process(plain, zoo):
    """What smaps says does not depend on the right to see frames; the states are counted as far as they show."""
    tree, view = plain
    values = formats.report(read(f"{tree.path}/{zoo.pid}/vma/{zoo.facts['mixed']}/summary", under=NOBODY))
    assert values["Rss"] == values["Uss"] == "16 kB" and values["Entries"] == "8"
    assert (values["Present"], values["Zero"]) == (("4", "4") if view == HIDDEN else ("8", "0"))


def test_own_process_of_the_reader(plain):
    """`self` is the reader; he may inspect himself."""
    tree, _ = plain
    rows = formats.pages(read(f"{tree.path}/self/pages", under=NOBODY))
    assert rows and {row.frame for row in rows if row.state == "present"} == {"?"}
