"""The fixtures of the system tests: the binary, mounts of it, and targets to look at."""

import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

import pytest

import retries
from identities import NOBODY, ROOT
from mounting import FuseDevice, Mount, clean_stale, make_workspace, unmount_below
from reading import outcome
from running import Target, compiled

CHECKOUT = pathlib.Path(__file__).parents[2]


def heed_signals():
    """Takes back that signals are ignored or blocked, as nohup and `trap "" INT` leave it: children would inherit that.

    A handler does that, since a child starts with the default for it, and this process goes on ignoring them.
    """
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP, signal.SIGPIPE, signal.SIGXFSZ}:
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def pytest_sessionstart(session):
    if not session.config.option.collectonly:
        heed_signals()
        clean_stale()


def pytest_terminal_summary(terminalreporter):
    """How often something was looked at again, since that is a verdict that was given up."""
    if retries.counts:
        terminalreporter.write_line("looked at again: " + ", ".join(f"{what} {count}" for what, count in sorted(retries.counts.items())))


def pytest_sessionfinish(session):
    """Fails a run whose tests pass only because they are repeated."""
    if not session.exitstatus and sum(retries.counts.values()) > retries.MOST:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def workspace():
    """A folder of this session that every user may enter."""
    folder = make_workspace()
    yield folder
    unmount_below(folder)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def pagefs():
    """The path of the binary under test."""
    binary = os.environ.get("PAGEFS", str(CHECKOUT / ".build/release/pagefs"))
    assert os.access(binary, os.X_OK), f"{binary} is not there: build it, or name it in $PAGEFS"
    return os.path.abspath(binary)


@pytest.fixture(scope="session")
def public_pagefs(pagefs, workspace):
    """The binary where a plain user can run it, whatever the rights of the checkout are."""
    copy = os.path.join(workspace, "pagefs")
    shutil.copy(pagefs, copy)
    os.chmod(copy, 0o755)
    done = outcome([copy, "--help"], NOBODY)
    assert done.returncode == 0, f"a plain user cannot run pagefs: {done.stderr!r}"
    return copy


@pytest.fixture(scope="session")
def fuse_device():
    with FuseDevice() as device:
        yield device


@pytest.fixture(autouse=True)
def daemons_alive():
    """No test may end with a daemon that has ended by itself."""
    yield
    for mount in list(Mount.live):
        mount.check()


@pytest.fixture
def mount(request, workspace):
    """Mounts `pagefs -f ARGS` on a fresh folder, UNDER an identity. Each must end with status 0 and a log as it `expects`."""
    made = []

    def start(*args, under=ROOT, **popen):
        if under is ROOT:
            binary = request.getfixturevalue("pagefs")
        else:
            binary = request.getfixturevalue("public_pagefs")
            request.getfixturevalue("fuse_device")
        made.append(Mount(binary, workspace, args, under, **popen))
        return made[-1]

    yield start
    failures = []
    for one in reversed(made):
        try:
            one.finish()
        except (AssertionError, subprocess.TimeoutExpired) as failure:
            failures.append(str(failure))
    assert not failures, failures


@pytest.fixture
def point(workspace):
    """An empty folder to mount on by other means; what is mounted there in the end is detached, and its daemon ends."""
    folder = tempfile.mkdtemp(prefix="point-", dir=workspace)
    os.chmod(folder, 0o755)
    yield folder
    unmount_below(folder)


@pytest.fixture(scope="session", params=["scan", "noscan"])
def tree(request, pagefs, workspace):
    """A mount that all tests share, once for each way of reading page tables; its answers are never from a cache."""
    options = "max_age=0" if request.param == "scan" else "max_age=0,noscan"
    one = Mount(pagefs, workspace, ["-o", options])
    try:
        yield one
        one.finish()
    finally:
        one.close()


@pytest.fixture
def target(workspace):
    """Starts targets/NAME.c with ARGS, UNDER an identity if one is given, and waits until it is ready."""
    running = []

    def start(name, *args, **opts):
        program = compiled(name, workspace)
        arguments = [arg if isinstance(arg, bytes) else str(arg) for arg in args]
        running.append(Target([program, *arguments], **opts))
        return running[-1]

    yield start
    for one in reversed(running):
        one.close()


@pytest.fixture
def spawn():
    """Starts any command, and ends it after the test. Nothing is waited for."""
    running = []

    def start(argv, **popen):
        popen.setdefault("stdin", subprocess.DEVNULL)
        popen.setdefault("stdout", subprocess.DEVNULL)
        running.append(subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "--", *argv], **popen))
        return running[-1]

    yield start
    for one in reversed(running):
        if one.poll() is None:
            one.kill()
        one.wait(30)
        for pipe in (one.stdin, one.stdout, one.stderr):
            if pipe:
                pipe.close()
