"""A shared mount shows every reader exactly what /proc shows that reader: all readers, all processes, all kinds of files."""

import re
import struct

import pytest

import matrix
import unequal
from cells import asked, presence
from facts import Facts
from nodes import KINDS, OF_THE_TREE
from reading import read

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def found(cast, pagefs, workspace):
    return matrix.run_on(cast, pagefs, workspace, matrix.AS_IT_IS)


@pytest.fixture(scope="module")
def looks(cast, pagefs, workspace):
    """The facts of one look of root at a process, what was shown, and what was shown of another process."""
    with matrix.shared_mount(pagefs, workspace) as mount, cast.audience(mount, only=["root"]) as audience:
        [(reader, _)] = audience.values()
        seen = []
        for label in "1000", "root-lowered-to-1000":
            subject = cast.subjects[label]
            facts, found = asked(reader, subject, [subject.fill(kind.request) for kind in KINDS + OF_THE_TREE])
            texts = {
                kind.name: presence(got, subject) if kind.operation == "listed" else got for kind, got in zip(KINDS + OF_THE_TREE, found)
            }
            seen.append((Facts(facts, subject), texts))
    return *seen[0], seen[1][1]


def wrongs(text, other):
    """Texts that are not this one."""
    rows = text.splitlines(keepends=True)
    return [b"", text + b"x", text[1:], text + text, b"".join(rows[:-1]), b"".join(rows[1:]), b"999999999 999\n", other or b""]


def test_nothing_more_is_shown(found):
    more = [cell for cell in found if cell.category == "MORE"]
    assert not more, "\n".join(["shown against /proc:", *matrix.listing(more)])


def test_every_cell_that_is_not_equal_is_listed(found):
    matrix.check_listed(found, matrix.AS_IT_IS)


def test_every_cell_of_the_list_has_a_reason():
    text = unequal.LIST.read_text()
    assert matrix.UNKNOWN not in text and "MORE" not in text and text.count("\n== ") >= 10


def test_almost_nothing_less_is_shown(found):
    share = matrix.share_of_equal(found)
    assert share >= matrix.EQUAL_SHARE[matrix.AS_IT_IS], "\n".join([f"only {share:.2%} are equal", *matrix.listing(found)])


def test_texts_that_depend_on_no_right_are_the_same_for_everybody(found):
    for kind in OF_THE_TREE:
        if kind.path in ("README", "legend"):
            assert len({cell.mount for cell in found if cell.kind == kind.name}) == 1, kind.name


@pytest.mark.parametrize("kind", KINDS + OF_THE_TREE, ids=lambda kind: kind.name)
def test_contents_of_every_kind_are_checked(looks, kind):
    """What belongs to another process, is cut short, or is something else altogether is noticed."""
    facts, shown, other = looks
    assert kind.check(facts, shown[kind.name]) is None
    assert any(categories_of(kind, facts, wrong) for wrong in wrongs(shown[kind.name], other.get(kind.name))), kind.name
    mine = [str(facts.subject.pid), facts.subject.anon.partition("-")[0], facts.subject.file.partition("-")[0]]
    if any(word.encode() in shown[kind.name] for word in mine) and kind not in OF_THE_TREE:
        assert categories_of(kind, facts, other[kind.name]), f"{kind.name} of another process is taken for this one's"


def categories_of(kind, facts, body):
    """What the check says of a text, or that it cannot read it."""
    try:
        return kind.check(facts, body)
    except (IndexError, KeyError, StopIteration, ValueError, struct.error):
        return "OTHER"


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
