"""Callers that the daemon cannot judge: killed during their request, or without an identity that it can read."""

import contextlib
import fcntl
import os
import pathlib
import signal
import struct
import time
import types

import pytest

from identities import NOBODY, OWNER, ROOT
from mounting import Mount
from reading import PROGRAMS, cpu_ticks, errno_of, process_stat, run, told, until
from truth import PAGE, mappings

AGAIN = 20  # Refusals of one kind.


@pytest.fixture
def shared(mount):
    return mount("-o", "allow_other")


def wait_until_idle(pid, what, quiet=0.3):
    """Until no thread of the process has used the processor for a while."""
    state = {}

    def is_quiet():
        now, ticks = time.monotonic(), cpu_ticks(pid)
        if state.get("ticks") != ticks:
            state.update(ticks=ticks, since=now)
        return now - state["since"] > quiet

    until(is_quiet, what=what)


def is_served(pid):
    """Whether the process waits for the daemon to open or read a file; a look-up is over too soon."""
    with contextlib.suppress(OSError):
        stack = pathlib.Path(f"/proc/{pid}/stack").read_text()
        return "request_wait_answer" in stack and ("do_dentry_open" in stack or "vfs_read" in stack)


def held(daemon, pid):
    """How many descriptors of the daemon are of files of a process."""
    count = 0
    for number in os.listdir(f"/proc/{daemon}/fd"):
        with contextlib.suppress(FileNotFoundError):  # Closed meanwhile.
            count += os.readlink(f"/proc/{daemon}/fd/{number}").startswith(f"/proc/{pid}/")
    return count


@pytest.mark.parametrize("view", ["flags", "pages", "summary"])
def test_caller_killed_during_its_request_leaves_nothing_behind(mount, target, spawn, view):
    if not os.path.exists("/proc/self/stack"):
        pytest.skip("this kernel does not tell what a process waits for")
    shared = mount("-o", "allow_other,max_age=0")
    process = target("dense", 1 << 30, under=OWNER, cwd="/")
    path = f"{shared.path}/{process.pid}/vma/{process.facts['range']}/{view}"
    run([*OWNER, "head", "-c", "100", path])
    wait_until_idle(shared.pid, "the end of the first reading")
    before, killed = held(shared.pid, process.pid), 0
    for _ in range(20):
        reader = spawn([*OWNER, "cat", path])
        until(lambda: is_served(reader.pid) or reader.poll() is not None, step=0.0005)
        reader.send_signal(signal.SIGKILL)
        killed += reader.wait(10) == -signal.SIGKILL
    assert killed >= 10
    wait_until_idle(shared.pid, "the end of the work for readers that are dead")
    until(lambda: held(shared.pid, process.pid) <= before, what="the closing of what the dead had open")
    assert run([*OWNER, "head", "-c", "100", path])
    assert errno_of("open", f"{shared.path}/{process.pid}/layout", under=NOBODY) == "EACCES"


# What depends on rights, of a process.
DEPENDENT = ["layout", "pages", "summary", "files", "vma/RANGE/maps", "vma/RANGE/raw/pagemap", "pages@1000-2000", "vma/"]
REFUSED = {None}, {"EACCES"}
SHOWN = {None}, {None}


def probe(tree, process, under=ROOT, steps=(), base=None, again=1):
    """What a caller is told of what does not depend on rights, and of what does; STEPS are what it does first, as root."""
    base = base or tree.path
    same = [f"{base}/README", f"{base}/legend"]
    dependent = [f"{base}/{process.pid}/{view.replace('RANGE', process.facts['range'])}" for view in DEPENDENT]
    found = told("probe.py", *steps, str(again), *dependent, *same, under=under)
    return tuple(set().union(*(found[path] for path in paths)) for paths in (same, dependent))


def check_refused_and_logged_once(tree, process, **how):
    """However often a caller of that kind is refused, the log has one line about it; others are served as before."""
    before = tree.complaint().splitlines()
    assert probe(tree, process, **how) == REFUSED
    said = until(lambda: tree.complaint().splitlines()[len(before) :], what="a line about the refusal")
    assert len(said) == 1, said
    assert probe(tree, process, again=AGAIN, **how) == REFUSED
    assert tree.complaint().splitlines() == before + said


@pytest.mark.quick
@pytest.mark.parametrize("drop", [[], ["uid=1000"]], ids=["root", "user"])
def test_caller_with_another_root_directory_is_refused(shared, workspace, target, drop):
    process = target("moving", under=OWNER, cwd="/")
    inside = "/" + os.path.basename(shared.path)
    shared.refuses("the reader has another root directory")
    check_refused_and_logged_once(shared, process, steps=[f"chroot={workspace}", *drop], base=inside)
    assert probe(shared, process) == SHOWN and probe(shared, process, under=OWNER) == SHOWN


CHILD = ["unshare", "--pid", "--fork", "--kill-child", "--"]


def test_caller_in_a_child_pid_namespace_is_refused_with_nsdeny_alone(mount, target):
    process = target("moving", under=OWNER, cwd="/")
    shared, strict = mount("-o", "allow_other"), mount("-o", "allow_other,nsdeny")
    strict.refuses("the reader is in another pid namespace, and nsdeny is set")
    for under in CHILD, [*CHILD, *OWNER]:
        assert probe(shared, process, under=under) == SHOWN
    assert probe(shared, process, under=[*CHILD, *NOBODY]) == REFUSED
    check_refused_and_logged_once(strict, process, under=CHILD)
    assert probe(strict, process) == SHOWN and probe(strict, process, under=OWNER) == SHOWN


@contextlib.contextmanager
def daemon_in_a_pid_namespace(pagefs, workspace, *options):
    """A mount whose daemon cannot see the processes outside."""
    place = os.path.join(workspace, "place")
    os.makedirs(place, exist_ok=True)
    run(["mount", "--bind", place, place])
    run(["mount", "--make-shared", place])
    try:
        one = Mount(PROGRAMS / "pid_namespace.sh", place, options, env=os.environ | {"PAGEFS": pagefs})
        try:
            yield one
        finally:
            Mount.live.remove(one)
            one.proc.kill()
            one.close()
    finally:
        run(["umount", "-l", place])


@pytest.mark.parametrize("under", [ROOT, OWNER], ids=["root", "user"])
def test_caller_that_the_daemon_cannot_see_is_refused(pagefs, workspace, under):
    """The header of its requests has 0 for the pid."""
    with daemon_in_a_pid_namespace(pagefs, workspace, "-o", "allow_other") as inside:
        [daemon] = [int(pid) for pid in os.listdir("/proc") if pid.isdigit() and is_child(int(pid), inside.pid)]
        # It is the one process that is there for sure, under the number that it has in its own namespace.
        itself = types.SimpleNamespace(pid=1, facts={"range": mappings(daemon)[0].range})
        check_refused_and_logged_once(inside, itself, under=under)


def is_child(pid, parent):
    with contextlib.suppress(OSError):
        return int(process_stat(pid)[1]) == parent


LOOP_CTL_GET_FREE = 0x4C82


@contextlib.contextmanager
def loop_device():
    """The path of a free loop device; skips where there is none."""
    try:
        control = os.open("/dev/loop-control", os.O_RDWR)
    except OSError as error:
        pytest.skip(f"no loop devices here: {error}")
    number = fcntl.ioctl(control, LOOP_CTL_GET_FREE)
    os.close(control)
    device = os.open(f"/dev/loop{number}", os.O_RDONLY)
    try:
        yield f"/dev/loop{number}"
    finally:
        os.close(device)


@pytest.mark.parametrize("under", [ROOT, OWNER], ids=["of root", "of the owner"])
def test_kernel_thread_that_reads_a_file_shows_what_its_opener_may_see(shared, target, under):
    """A loop device reads by a thread of the kernel, which has every right; what it reads has been opened by somebody."""
    process = target("dense", 1024 * PAGE, under=OWNER, cwd="/")
    path = f"{shared.path}/{process.pid}/vma/{process.facts['range']}/raw/pagemap"
    with loop_device() as device:
        answer = told("read_by_loop_device.py", path, device, "0" if under is ROOT else "1000")
    if answer == "EIO":
        return  # Refused.
    words = struct.unpack("=1024Q", bytes.fromhex(answer))
    assert all(word >> 63 for word in words), [hex(word) for word in words[:8]]
    assert all(bool(word & (1 << 55) - 1) == (under is ROOT) for word in words)
