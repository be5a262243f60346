"""Every number of the summaries of mappings and processes, against smaps, smaps_rollup and the pages."""

import pytest

import formats
import truth
import truth_tables
from comparing import agree
from reading import read
from truth import PAGE, mappings
from truth_mappings import rollup, smaps, uss

COUNTS = ["Entries", "Present", "Swapped", "Zero", "Guard", "Marker", "Special"]


# The share in the vdso's page, which all processes have in common, moves as they come and go: 4 kB by their number.
OF_VDSO = ("Pss", "Pss_File")


def in_report(got, before, after):
    """Each value is that of the one or the other; keys and their order are those of both."""
    if list(got) != list(after):
        return f"keys {list(got)} instead of {list(after)}"
    wrong = [key for key in got if plain(got[key]) not in (plain(before[key]), plain(after[key]))]
    wrong = [key for key in wrong if key not in OF_VDSO or abs(kB(got[key]) - kB(after[key])) > 1]
    return "; ".join(f"{key} is {got[key]}, not {after[key]}" for key in wrong) or None


def kB(value):
    return int(value.split()[0])


def plain(value):
    return " ".join(value.split())


def expected(counters, pages):
    """The keys and values of a summary, in their order."""
    own = {"Uss": f"{uss(counters)} kB"}
    return counters | own | {key: str(value) for key, value in truth_tables.state_counts(pages).items()}


def of_mapping(pid, mapping):
    return expected(smaps(pid)[mapping], truth.pages(pid, mapping.start, mapping.end))


def of_process(pid):
    pages = [page for one in mappings(pid) for page in truth.pages(pid, one.start, one.end)]
    return expected(rollup(pid), pages)


@pytest.mark.quick
def test_summary_of_a_mapping(tree, exhibit):
    pid, mapping = exhibit
    path = f"{tree.path}/{pid}/vma/{mapping.range}/summary"
    agree(lambda: formats.report(read(path)), lambda: of_mapping(pid, mapping), in_report)


def test_summary_of_a_process(tree, alone):
    pid = alone("zoo").pid
    path = f"{tree.path}/{pid}/summary"
    agree(lambda: formats.report(read(path)), lambda: of_process(pid), in_report)


def test_sizes_are_written_as_in_smaps(tree, target):
    """An awk line that is written for smaps works on a summary."""
    zoo = target("zoo")
    start = int(zoo.facts["written"].partition("-")[0], 16)
    mapping = truth.mapping_of(zoo.pid, start)
    lines = read(f"{tree.path}/{zoo.pid}/vma/{mapping.range}/summary").decode().splitlines()
    fields = {line.split()[0]: line.split()[1:] for line in lines}
    assert fields["Rss:"] == fields["Private_Dirty:"] == fields["Uss:"] == ["32", "kB"]
    assert fields["Present:"] == ["8"]


def test_entries_are_the_sum_of_the_states(tree, exhibit):
    pid, mapping = exhibit
    values = formats.report(read(f"{tree.path}/{pid}/vma/{mapping.range}/summary"))
    assert list(values)[-len(COUNTS) :] == COUNTS
    assert int(values["Entries"]) == sum(int(values[key]) for key in COUNTS[1:])


def test_counts_follow_from_the_page_table(tree, exhibit):
    """The states that `pages` prints are counted by `summary`, and `flags` holds each entry once."""
    pid, mapping = exhibit
    folder = f"{tree.path}/{pid}/vma/{mapping.range}"
    values = formats.report(read(folder + "/summary"))
    states = [row.state.capitalize() for row in formats.pages(read(folder + "/pages"))]
    assert {key: int(values[key]) for key in COUNTS[1:]} == {key: states.count(key) for key in COUNTS[1:]}
    assert sum(row.pages for row in formats.flags(read(folder + "/flags"))) == len(states)
    assert sum(row.pages for row in formats.ranges(read(folder + "/ranges"))) == len(states)


@pytest.mark.quick
def test_the_process_is_the_sum_of_its_mappings(tree, alone):
    pid = alone("zoo").pid
    base = f"{tree.path}/{pid}"

    def number(values, key):
        return int(values[key].split()[0])

    whole = formats.report(read(base + "/summary"))
    parts = [formats.report(read(f"{base}/vma/{one.range}/summary")) for one in mappings(pid)]
    for key in COUNTS + ["Rss", "Anonymous", "Swap", "Uss"]:
        assert number(whole, key) == sum(number(part, key) for part in parts), key


def test_present_pages_make_the_resident_size(tree, target):
    """Of ordinary memory every present page counts in Rss."""
    zoo = target("zoo")
    for kind in ("written", "mixed", "guard", "private_file", "memfd", "thp"):
        values = formats.report(read(f"{tree.path}/{zoo.pid}/vma/{zoo.facts[kind]}/summary"))
        assert values["Rss"] == f"{int(values['Present']) * PAGE // 1024} kB", kind
