"""What a daemon cannot have costs the request that asks for it an errno, and nothing else: the daemon lives, the next one works."""

import contextlib
import errno
import itertools
import os
import pathlib
import resource
import tempfile

import pytest

from holdings import all_given_back, threads
from reading import errno_of, names, outcome, until
from stuck import Crowd, Result, as_whole, everything, stuck_targets

pytestmark = pytest.mark.timeout(60)

TOLD = {errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOMEM}
GROUPS = pathlib.Path("/sys/fs/cgroup")
MIB = 1 << 20


def thread_groups(pid):
    """The control group that a process is in, and one below which a group can bound its threads."""
    groups = dict(line.split(":", 2)[1:] for line in pathlib.Path(f"/proc/{pid}/cgroup").read_text().splitlines())
    if "pids" in groups:
        home = GROUPS / "pids" / groups["pids"].lstrip("/")
        return home, home
    control = GROUPS / "cgroup.subtree_control"
    if "" in groups and control.exists() and "pids" in control.read_text().split():
        return GROUPS / groups[""].lstrip("/"), GROUPS
    pytest.skip("no control group of this machine counts threads")


@contextlib.contextmanager
def no_more_threads(mine):
    """A daemon can start no thread, and may say so."""
    home, parent = thread_groups(mine.pid)
    mine.expects(".*cannot start another thread.*")
    group = pathlib.Path(tempfile.mkdtemp(prefix="pagefs-test-", dir=parent))
    try:
        (group / "cgroup.procs").write_text(str(mine.pid))
        (group / "pids.max").write_text("0")
        yield
    finally:
        (group / "pids.max").write_text("max")
        with contextlib.suppress(ProcessLookupError):
            (home / "cgroup.procs").write_text(str(mine.pid))
        until(lambda: removed(group), 10, "the end of the group", step=0.05)


def removed(group):
    with contextlib.suppress(OSError):
        group.rmdir()
    return not group.exists()


@contextlib.contextmanager
def bounded(pid, what, value):
    """A soft limit of a process."""
    soft, hard = resource.prlimit(pid, what)
    resource.prlimit(pid, what, (value, hard))
    try:
        yield
    finally:
        resource.prlimit(pid, what, (soft, hard))


def shares(workspace, whats, seconds=20):
    """What each of a crowd has had, by what it asked for."""
    with Crowd(workspace, whats) as crowd:
        assert crowd.waiting(seconds) == 0
        return dict(zip(crowd.whats, crowd.results()))


def whole_or_told(results, truth):
    """Every answer is the whole answer, or an errno that tells of a shortage; how often there was one."""
    short = 0
    for what, one in results.items():
        assert isinstance(one, Result), what
        if not as_whole(what, one, truth[what]):
            assert one.error in TOLD, (what, one, truth[what])
            short += 1
    return short


@pytest.mark.parametrize("options", [(), ("-o", "max_age=0,threads=1")], ids=["default", "max_age=0,threads=1"])
def test_too_few_descriptors_fail_requests_with_an_errno_and_the_next_one_works(mount, target, workspace, options):
    """From none to eight, for everything there is to ask of processes that were not asked of before."""
    mine = mount(*options)
    reference = target("moving")
    whats = everything(f"{mine.path}/{reference.pid}", reference.facts["range"]) + [f"list:{mine.path}", f"list:{mine.path}/by-name"]
    shares(workspace, whats)
    short = 0
    for extra in range(9):
        process = target("moving")
        own = everything(f"{mine.path}/{process.pid}", process.facts["range"])
        highest = max(int(number) for number in os.listdir(f"/proc/{mine.pid}/fd"))
        with bounded(mine.pid, resource.RLIMIT_NOFILE, highest + 1 + extra):
            results = shares(workspace, own)
            assert errno_of("list", mine.path, timeout=5) in (None, "EMFILE", "ENFILE")
            assert errno_of("list", f"{mine.path}/by-name", timeout=5) in (None, "EMFILE", "ENFILE")
        short += whole_or_told(results, shares(workspace, own))
        process.close()
    assert short > 10, "the limit was never reached"
    all_given_back(mine)


def large(mine, process):
    """Long work for many at once."""
    folder = f"{mine.path}/{process.pid}"
    inside = f"{folder}/vma/{process.facts['range']}"
    paths = [f"{folder}/{name}" for name in ("flags", "pages", "layout")]
    paths += [f"{inside}/{name}" for name in ("flags", "pages", "strip", "letters")]
    return [f"read:{path}" for path in paths]


@pytest.mark.parametrize("options", [(), ("-o", "max_age=0,threads=4")], ids=["default", "max_age=0,threads=4"])
def test_without_new_threads_requests_are_answered_or_fail_with_an_errno_and_the_next_one_works(mount, target, workspace, options):
    mine, process = mount(*options), target("dense", 512 * MIB)
    whats = large(mine, process)
    truth = shares(workspace, whats)
    assert {one.error for one in truth.values()} == {0}
    with no_more_threads(mine):
        with Crowd(workspace, itertools.islice(itertools.cycle(whats), 42)) as crowd:
            assert crowd.waiting(20) == 0
            for what, one in zip(crowd.whats, crowd.results()):
                whole_or_told({what: one}, truth)
        assert errno_of("read", whats[0].removeprefix("read:"), timeout=10) is None
        assert str(process.pid).encode() in names(mine.path, timeout=5)
    assert whole_or_told(shares(workspace, whats), truth) == 0
    all_given_back(mine)


def test_without_new_threads_a_stuck_target_holds_up_nobody_and_its_readers_can_be_ended(mount, target, workspace):
    mine, healthy = mount(), target("moving")
    folder = f"{mine.path}/{healthy.pid}"
    truth = shares(workspace, everything(folder, healthy.facts["range"]))
    with contextlib.ExitStack() as stack:
        # In this order: the target is thawed before the group can be removed.
        stuck = stack.enter_context(stuck_targets(workspace, 1))
        stack.enter_context(no_more_threads(mine))
        before = threads(mine)
        stuck.stick()
        own = everything(f"{mine.path}/{stuck.pids[0]}", *stuck.ranges)
        readers = stack.enter_context(Crowd(workspace, own))
        readers.waiting(0.5)
        assert threads(mine) <= before
        assert {one.error for one in readers.results() if isinstance(one, Result)} <= {0, errno.EAGAIN, errno.ENOMEM}
        whole_or_told(shares(workspace, list(truth), 10), truth)
        assert errno_of("read", f"{folder}/info", timeout=5) is None
        assert str(healthy.pid).encode() in names(mine.path, timeout=5)
        assert None not in readers.end()
    all_given_back(mine)


def test_too_little_room_for_stacks_fails_requests_with_an_errno_and_the_next_one_works(mount, target, workspace):
    """The address space of the daemon may grow by less than a thread needs."""
    mine, process = mount("-o", "max_age=0"), target("moving")
    whats = everything(f"{mine.path}/{process.pid}", process.facts["range"])
    truth = shares(workspace, whats)
    mine.expects(".*cannot start another thread.*")
    with bounded(mine.pid, resource.RLIMIT_AS, mine.memory("VmSize") + 4 * MIB):
        whole_or_told(shares(workspace, whats), truth)
        assert outcome(["cat", f"{mine.path}/{process.pid}/info"], timeout=5).returncode == 0
    assert whole_or_told(shares(workspace, whats), truth) == 0
    all_given_back(mine)
