"""Least privilege: what the daemon of a shared mount may do itself, at rest and after it has worked for many."""

import concurrent.futures
import os

import pytest

from identities import CAPLESS, NOBODY, OTHER, OWNER, ROOT, Identity
from privileges import NEEDED, capabilities, check_every_thread_is_at_home, statuses
from reading import Reader, outcome, run, told


@pytest.fixture
def shared(mount):
    return mount("-o", "allow_other")


@pytest.mark.quick
def test_capabilities_are_those_that_are_needed(shared):
    for status in statuses(shared.pid):
        assert capabilities(status, "Prm") == NEEDED
        assert capabilities(status, "Bnd") & ~NEEDED == 0
        assert capabilities(status, "Inh") == capabilities(status, "Amb") == 0


@pytest.mark.quick
def test_no_thread_can_gain_rights_or_make_other_system_calls(shared):
    for status in statuses(shared.pid):
        assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2"), status["Name"]


def test_groups_of_the_one_who_mounts_are_given_up(mount):
    shared = mount("-o", "allow_other", extra_groups=[5, 1234])
    assert {status["Groups"] for status in statuses(shared.pid)} == {""}


@pytest.mark.parametrize("name", ["maps", "pagemap", "environ", "mem", "map_files"])
def test_root_without_capabilities_cannot_inspect_the_daemon(shared, name):
    """It is not dumpable, so its files are root's and the same user is not enough. Root with them can."""
    path = f"/proc/{shared.pid}/{name}"
    status = os.stat(path)
    assert (status.st_uid, status.st_gid) == (0, 0)
    request = ("listdir", path) if name == "map_files" else ("open", path, os.O_RDONLY)
    with Reader(under=CAPLESS) as capless, Reader() as root:
        with pytest.raises(PermissionError):
            capless.call(*request)
        root.call(*request)


def test_files_of_the_daemon_are_not_those_of_the_user_who_mounts(mount):
    """Not dumpable: /proc gives the files of such a process to root."""
    plain = mount(under=NOBODY)
    assert (os.stat(f"/proc/{plain.pid}/maps").st_uid, os.stat(f"/proc/{plain.pid}/environ").st_uid) == (0, 0)


CALLERS = [ROOT, CAPLESS, OWNER, OTHER, NOBODY, Identity(1000, caps=("sys_ptrace",)), Identity(1000, 5), Identity(1001, caps=("perfmon",))]


def test_threads_have_their_own_credentials_after_work_for_others(shared, target):
    targets = [target("moving", under=under, cwd="/") for under in (ROOT, OWNER, OTHER)]
    folders = [f"{shared.path}/{one.pid}" for one in targets]

    def work(under):
        for _ in range(3):
            outcome([*under, "grep", "-r", "-c", "", *folders], timeout=60)
            outcome([*under, "ls", "-lR", *folders], timeout=60)

    with concurrent.futures.ThreadPoolExecutor(len(CALLERS)) as pool:
        list(pool.map(work, CALLERS))
    check_every_thread_is_at_home(shared.pid)
    assert run(["ls", shared.path])


@pytest.mark.parametrize("call", ["kill", "sched_setaffinity", "setpriority"])
def test_users_cannot_touch_the_daemon_while_it_works_as_them(shared, target, call):
    """A thread that has a user's effective ids is still root's by its real ones."""
    process = target("dense", 1 << 28, under=OWNER, cwd="/")
    path = f"{shared.path}/{process.pid}/layout"
    assert told("touch_daemon.py", str(shared.pid), path, call, under=OWNER, timeout=60) == (False, True)
