"""The oracle of the differential tests itself: it must agree with the layout that the targets report and with smaps."""

import pytest

import truth
import truth_tables
from exhibits import FLAGS, STATES
from truth import PAGE, mappings, pages
from truth_mappings import kilobytes, smaps


def state_string(found, mapping):
    """One letter a page."""
    at = {row.address: row.state for row in truth_tables.letters_rows(found)}
    return "".join(at.get(address, ".") for address in range(mapping.start, mapping.end, PAGE))


def test_states_of_known_layouts(known):
    kind, pid, mapping = known
    assert state_string(pages(pid, mapping.start, mapping.end), mapping) == STATES[kind]


@pytest.mark.quick
def test_flags_of_known_layouts(known):
    kind, pid, mapping = known
    numbers, wanted, unwanted = FLAGS.get(kind, ((), "", ""))
    at = {page.address: set(page.names) for page in pages(pid, mapping.start, mapping.end)}
    for number in numbers:
        names = at[mapping.start + number * PAGE]
        assert names >= set(wanted.split()) and not names & set(unwanted.split()), names


def test_map_counts_of_a_forked_mapping(target):
    zoo = target("zoo")
    start, end = (int(part, 16) for part in zoo.facts["forked"].split("-"))
    assert [page.count for page in pages(zoo.pid, start, end)] == [1, 2, 2, 2]


@pytest.mark.quick
def test_pages_agree_with_smaps(target):
    """Rss, Anonymous and KSM follow from the pages; the zero page and hugetlb pages count in none of them."""
    zoo = target("zoo")
    for mapping, values in smaps(zoo.pid).items():
        found = pages(zoo.pid, mapping.start, mapping.end)
        counted = [page for page in found if page.state == "present" and not page.has("huge")]
        assert kilobytes(values, "Rss") == len(counted) * PAGE // 1024, mapping
        anonymous = [page for page in counted if page.has("anonymous")]
        assert kilobytes(values, "Anonymous") == len(anonymous) * PAGE // 1024, mapping
        assert kilobytes(values, "KSM") == sum(page.has("ksm") for page in counted) * PAGE // 1024, mapping


def test_every_frame_has_a_node_of_this_machine(target):
    zoo = target("zoo")
    nodes = set(truth.memory_blocks()[1].values())
    assert nodes
    for mapping in mappings(zoo.pid):
        for page in pages(zoo.pid, mapping.start, mapping.end):
            assert page.node in nodes or not page.bit(63)


@pytest.mark.parametrize("order", ["in order", "random"])
def test_dense_pages_have_a_frame_each(target, order):
    dense = target("dense", 1 << 22, *order.split()[:1])
    start, end = (int(part, 16) for part in dense.facts["range"].split("-"))
    found = pages(dense.pid, start, end)
    assert len(found) == len({page.frame for page in found}) == 1024 == int(dense.facts["pages"])
    rows = truth_tables.range_rows(truth_tables.page_rows(found))
    assert sum(row.pages for row in rows) == 1024
    assert order != "random" or len(rows) > 512, "random order gave neighbours in neighbouring frames"


def test_sparse_pages_lie_one_step_apart(target):
    sparse = target("sparse", 1 << 40, 1000)
    start = int(sparse.facts["range"].partition("-")[0], 16)
    step = int(sparse.facts["step"], 16)
    for index in (0, 1, 500, 999):
        at = start + index * step
        assert [page.address for page in pages(sparse.pid, at, at + 16 * PAGE)] == [at]


def test_mappings_do_not_merge(target):
    target = target("mappings", 1000)
    start, end = (int(part, 16) for part in target.facts["range"].split("-"))
    found = [one for one in mappings(target.pid) if start <= one.start < end]
    assert len(found) == 1000 and {one.pages for one in found} == {1}
