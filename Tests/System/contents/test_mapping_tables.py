"""Every column of every line of a mapping's page files, for every kind of mapping, against the independent decoder."""

import struct

import pytest

import formats
import truth
import truth_tables
from comparing import agree, as_one, in_columns, in_flags, in_map_counts, in_ranges, picture, words
from exhibits import FLAGS, STATES
from reading import read
from truth import PAGE

RAW = ("pagemap", "kpageflags", "kpagecount", "kpagecgroup")


def folder(tree, pid, mapping):
    return f"{tree.path}/{pid}/vma/{mapping.range}"


def seen(pid, mapping):
    return truth.pages(pid, mapping.start, mapping.end)


@pytest.mark.quick
def test_pages(tree, exhibit):
    pid, mapping = exhibit
    path = folder(tree, pid, mapping) + "/pages"
    agree(lambda: formats.pages(read(path)), lambda: truth_tables.page_rows(seen(pid, mapping)), in_columns)


@pytest.mark.quick
def test_ranges(tree, exhibit):
    pid, mapping = exhibit
    path = folder(tree, pid, mapping) + "/ranges"
    agree(lambda: formats.ranges(read(path)), lambda: truth_tables.page_rows(seen(pid, mapping)), in_ranges(()))


def test_flags(tree, exhibit):
    pid, mapping = exhibit
    path = folder(tree, pid, mapping) + "/flags"
    agree(lambda: formats.flags(read(path)), lambda: truth_tables.flags_rows(seen(pid, mapping)), in_flags)


def test_map_counts(tree, exhibit):
    pid, mapping = exhibit
    path = folder(tree, pid, mapping) + "/mapcounts"
    agree(lambda: formats.map_counts(read(path)), lambda: seen(pid, mapping), in_map_counts())


def test_letters(tree, exhibit):
    pid, mapping = exhibit
    path = folder(tree, pid, mapping) + "/letters"
    agree(
        lambda: formats.letters(read(path), mapping.range),
        lambda: truth_tables.letters_rows(seen(pid, mapping)),
        in_columns,
    )


def test_strip(tree, exhibit):
    pid, mapping = exhibit
    path = folder(tree, pid, mapping) + "/strip"
    span = [(mapping.start, mapping.end)]
    _, bucket = truth_tables.strip([], span)
    agree(lambda: picture(read(path), bucket), lambda: truth_tables.strip(seen(pid, mapping), span)[0], as_one)


def test_fill(tree, exhibit):
    pid, mapping = exhibit
    path = folder(tree, pid, mapping) + "/fill"
    span = [(mapping.start, mapping.end)]
    agree(lambda: picture(read(path), 1, formats.fill), lambda: truth_tables.fill(seen(pid, mapping), span)[0], as_one)


@pytest.mark.parametrize("name", RAW)
def test_raw(tree, exhibit, name):
    pid, mapping = exhibit
    path = f"{folder(tree, pid, mapping)}/raw/{name}"

    def array():
        data = read(path)
        assert len(data) == mapping.pages * 8
        return struct.unpack(f"={mapping.pages}Q", data)

    def mapped(got, before, after):
        """The vdso's page is mapped by any number of processes, of which some start and end meanwhile."""
        return words([bool(one) for one in got], *([bool(one) for one in each] for each in (before, after)))

    difference = mapped if (mapping.name, name) == (b"[vdso]", "kpagecount") else words
    agree(array, lambda: truth.raw_words(pid, mapping.start, mapping.end)[name], difference)


@pytest.mark.quick
def test_states_of_known_layouts(tree, known):
    """What the target did to each page, told without any decoder."""
    kind, pid, mapping = known
    rows = formats.letters(read(folder(tree, pid, mapping) + "/letters"), mapping.range)
    at = {row.address: row.state for row in rows}
    assert "".join(at.get(place, ".") for place in range(mapping.start, mapping.end, PAGE)) == STATES[kind]


def test_fill_of_known_layouts(tree, known):
    """One character a page: whether it has an entry."""
    kind, pid, mapping = known
    drawn = picture(read(folder(tree, pid, mapping) + "/fill"), 1, formats.fill)
    assert drawn == "".join("." if state == "." else "*" for state in STATES[kind])


@pytest.mark.parametrize("known", FLAGS, indirect=True)
def test_flags_of_known_layouts(tree, known):
    kind, pid, mapping = known
    numbers, wanted, unwanted = FLAGS[kind]
    at = {row.address: set(row.flags.split(",")) for row in formats.pages(read(folder(tree, pid, mapping) + "/pages"))}
    for number in numbers:
        names = at[mapping.start + number * PAGE]
        assert names >= set(wanted.split()) and not names & set(unwanted.split()), names


def test_map_counts_of_a_forked_mapping(tree, target):
    zoo = target("zoo")
    rows = formats.pages(read(f"{tree.path}/{zoo.pid}/vma/{zoo.facts['forked']}/pages"))
    assert [row.mapcount for row in rows] == ["1", "2", "2", "2"]


MAP_COUNTS = {
    "forked": [("1", 1, 4, 4, 0), ("2", 3, 12, 12, 0)],
    "readfault": [],
    "untouched": [],
    "mixed": [("1", 4, 16, 16, 0)],
    "private_file": [("1", 8, 32, 8, 24)],
    "memfd": [("1", 5, 20, 0, 20)],
    "shared_anon": [("1", 4, 16, 0, 16)],
}


@pytest.mark.parametrize("known", MAP_COUNTS, indirect=True)
def test_map_counts_of_known_layouts(tree, known):
    """Without the zero page; shared memory is of a file, and a page of a file that was written is not."""
    kind, pid, mapping = known
    assert formats.map_counts(read(folder(tree, pid, mapping) + "/mapcounts")) == MAP_COUNTS[kind]


def test_frames_of_a_shared_mapping_are_those_of_both_processes(tree, target):
    """The target's forked child shows the same frames, but for the page that was written after the fork."""
    zoo = target("zoo")
    with open(f"/proc/{zoo.pid}/task/{zoo.pid}/children") as children:
        child = children.read().split()[0]
    frames = []
    for pid in (zoo.pid, child):
        rows = formats.pages(read(f"{tree.path}/{pid}/vma/{zoo.facts['forked']}/pages"))
        frames.append([row.frame for row in rows])
    assert frames[0][0] != frames[1][0] and frames[0][1:] == frames[1][1:]


@pytest.mark.parametrize("step", [64, 4096 // 8])
def test_strip_of_a_mapping_with_larger_buckets(tree, target, step):
    """A mapping of more than 4096 pages: a bucket shows what most of its pages are."""
    sparse = target("sparse", 1 << 26, (1 << 26) // PAGE // step)
    start, end = (int(part, 16) for part in sparse.facts["range"].split("-"))
    path = f"{tree.path}/{sparse.pid}/vma/{sparse.facts['range']}/strip"

    def drawn():
        return truth_tables.strip(truth.pages(sparse.pid, start, end), [(start, end)])

    assert drawn()[1] == 4
    agree(lambda: picture(read(path), 4), lambda: drawn()[0], as_one)


def test_fill_of_a_mapping_with_larger_buckets(tree, target):
    """Runs of 23 pages, one every 53 pages, so that buckets of 17 pages are full to all degrees; the last bucket has 6 pages."""
    sparse = target("sparse", (1 << 28) + 5 * PAGE, 23 * 100, 53 * PAGE, 23)
    start, end = (int(part, 16) for part in sparse.facts["range"].split("-"))
    drawn, bucket = truth_tables.fill(truth.pages(sparse.pid, start, end), [(start, end)])
    assert bucket == 17 and set(drawn) == set(".123456789*")
    assert picture(read(f"{tree.path}/{sparse.pid}/vma/{sparse.facts['range']}/fill"), bucket, formats.fill) == drawn


@pytest.mark.parametrize("order", ["in order", "random"])
def test_pages_whose_frames_are_in_any_order(tree, target, order):
    dense = target("dense", 1 << 24, *order.split()[:1])
    start, end = (int(part, 16) for part in dense.facts["range"].split("-"))
    path = f"{tree.path}/{dense.pid}/vma/{dense.facts['range']}"
    rows = lambda: truth_tables.page_rows(truth.pages(dense.pid, start, end))  # noqa: E731
    agree(lambda: formats.pages(read(path + "/pages")), rows, in_columns)
    agree(lambda: formats.ranges(read(path + "/ranges")), rows, in_ranges(()))
