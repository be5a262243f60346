"""Requests under credentials that are not those of the process that makes them: io_uring with a personality."""

import pytest

from identities import OWNER, ROOT

pytestmark = pytest.mark.quick

OVERRIDDEN = "the reader acts with overridden credentials"
WAYS = ["plain", "async", "polled"]
VIEWS = ["layout", "pages", "summary", "vma/RANGE/maps", "vma/RANGE/pages", "vma/RANGE/raw/pagemap"]


def ring(target, uid, submitter):
    """Of SUBMITTER, but the requests are made as UID."""
    made = target("personality", uid, submitter)
    if "none" in made.facts:
        pytest.skip(f"this machine has no io_uring for us: {made.facts['none']}")
    return made


def shown(answer):
    """What was shown, or None where it was refused."""
    assert answer.startswith("shown ") or answer in ("EACCES", "EPERM"), answer
    return answer.removeprefix("shown ") if answer.startswith("shown ") else None


# The polling thread is started by root and stays root's: for a request as root nothing is overridden.
CASES = [(1000, 0, way) for way in WAYS] + [(0, 1000, way) for way in ("plain", "async")]


@pytest.mark.parametrize("whose", [ROOT, OWNER], ids=["root's process", "the user's process"])
@pytest.mark.parametrize("uid, submitter, way", CASES)
def test_overridden_credentials_are_refused(mount, target, way, whose, uid, submitter):
    """What /proc denies them is denied, and the rest too: the capabilities that go with them cannot be known."""
    shared = mount("-o", "allow_other")
    shared.refuses(OVERRIDDEN)
    process = target("moving", under=whose, cwd="/")
    one = ring(target, uid, submitter)
    denied = shown(one.tell(f"{way} /proc/{process.pid}/maps")) is None
    assert denied == (uid == 1000 and whose is ROOT)
    for view in VIEWS:
        path = f"{shared.path}/{process.pid}/{view.replace('RANGE', process.facts['range'])}"
        assert one.tell(f"{way} {path}") == "EACCES", view
    # The same process without a personality acts under its own.
    answer = shown(one.tell(f"own {shared.path}/{process.pid}/layout"))
    assert (answer is None) == (shown(one.tell(f"own /proc/{process.pid}/maps")) is None)


@pytest.mark.parametrize("way", WAYS)
def test_files_that_depend_on_no_right_are_there_for_overridden_credentials(mount, target, way):
    shared = mount("-o", "allow_other")
    assert shown(ring(target, 1000, 0).tell(f"{way} {shared.path}/README"))
