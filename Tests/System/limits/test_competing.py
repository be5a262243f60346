"""Users who compete on one shared mount: what each may hold, and what is left for root whatever they do."""

import contextlib

import pytest
from test_limits import MIB, Openers, limited

from holdings import held
from identities import Identity
from reading import errno_of, until

LIMIT = 512
ALL = LIMIT // 2  # Handles take half of the descriptors.
USERS = [1000, 1001, 1002, 1003]


@pytest.fixture
def shared(mount):
    return mount("-o", "allow_other", **limited(LIMIT))


def room_for_root(shared, count, path):
    with Openers(count, path) as root:
        assert (root.held, root.failed) == (count, {})


def openers(stack, count, path, uid):
    return stack.enter_context(Openers(count, path, under=Identity(uid)))


def test_two_users_at_once_have_a_quarter_of_the_handles_each(shared):
    """Neither takes from the other's share, in whatever order they come."""
    path = f"{shared.path}/README"
    for first, second in (USERS[:2], USERS[1::-1]):
        with contextlib.ExitStack() as stack:
            greedy = openers(stack, ALL, path, first)
            assert (greedy.held, greedy.failed) == (ALL // 4, {"EMFILE": ALL - ALL // 4})
            modest = openers(stack, ALL // 8, path, second)
            assert (modest.held, modest.failed) == (ALL // 8, {})
            more = openers(stack, ALL // 4, path, second)
            assert (more.held, more.failed) == (ALL // 8, {"EMFILE": ALL // 8})
            room_for_root(shared, ALL // 4, path)
        until(lambda: held(shared)[0] == 0, 10, "the release of all handles")


def test_root_opens_while_four_users_together_hold_all_they_can(shared):
    path = f"{shared.path}/README"
    with contextlib.ExitStack() as stack:
        taken = [openers(stack, ALL // 4, path, uid).held for uid in USERS]
        assert errno_of("open", path) is None, f"{taken} handles are taken by users, and none is left for root"
        assert max(taken) <= ALL // 4 and sum(taken) <= ALL * 3 // 4, taken
        assert sum(taken) > ALL // 2, taken
        room_for_root(shared, ALL // 8, path)
        assert held(shared)[0] == sum(taken)
    until(lambda: held(shared)[0] == 0, 10, "the release of all handles")
    with Openers(ALL // 4, path, under=Identity(USERS[-1])) as last:
        assert (last.held, last.failed) == (ALL // 4, {})


@pytest.mark.timeout(90)
def test_root_reads_while_four_users_hold_all_the_bytes_they_can(mount, target):
    """Each has a listing of many names, which counts them."""
    shared = mount("-o", "allow_other")
    with contextlib.ExitStack() as stack:
        for uid in USERS:
            crowd = target("mappings", 30_000, under=Identity(uid), cwd="/")
            openers(stack, 60, f"{shared.path}/{crowd.pid}/vma/", uid)
        of_users = held(shared)[1]
        assert of_users > 64 * MIB
        assert errno_of("list", f"{shared.path}/{crowd.pid}/vma") is None, f"{of_users} bytes are taken by users"
        assert errno_of("read", f"{shared.path}/{crowd.pid}/layout") is None
        assert of_users <= 256 * MIB * 3 // 4
    until(lambda: held(shared)[0] == 0, 10, "the release of all handles")
