"""A shared mount shows every reader exactly what /proc shows that reader: all readers, all processes, all kinds of files."""

import re

import pytest

import matrix
from nodes import KINDS, OF_THE_TREE
from reading import read

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def found(cast, pagefs, workspace):
    return matrix.run_on(cast, pagefs, workspace, matrix.AS_IT_IS)


def test_nothing_more_is_shown(found):
    more = [cell for cell in found if cell.category == "MORE"]
    assert not more, "\n".join(["shown against /proc:", *matrix.listing(more)])


def test_almost_nothing_less_is_shown(found):
    share = matrix.share_of_equal(found)
    assert share >= 0.97, "\n".join([f"only {share:.2%} are equal", *matrix.listing(found)])


def test_readers_and_processes_are_many_and_differ(found):
    """How many readers there are in the eyes of /proc shows in what it answers them."""
    assert len({cell.reader for cell in found}) >= 30
    assert len({cell.subject for cell in found}) >= 20
    seen = {}
    for cell in found:
        if cell.subject != "itself":
            seen.setdefault(cell.reader, []).append(cell.proc)
    assert len({tuple(answers) for answers in seen.values()}) >= 15


def test_every_kind_is_shown_to_some_and_refused_to_others(found):
    for kind in KINDS:
        if kind.needs in [("lstat",), ("listed",), ("folder",), ("status",), ("comm",)]:
            continue  # Everybody sees these where /proc has no hidepid.
        answers = {cell.proc for cell in found if cell.kind == kind.name}
        assert "shown" in answers and len(answers - {"shown", "empty"}) > 0, (kind.name, answers)


def test_every_node_of_the_tree_is_compared(tree):
    nodes = re.findall(r"^  (\S+?)/?(?: \*)? {2,}\S", read(f"{tree.path}/README").decode().partition("\n* ")[0], re.M)
    assert "PID/vma/RANGE/raw/kpagecgroup" in nodes
    compared = {kind.path.rstrip("/") for kind in KINDS + OF_THE_TREE}
    # A folder of by-name is there as long as the link in it.
    assert set(nodes) - compared == {"status", "by-name/NAME"}
