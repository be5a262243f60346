"""Readers about whom /proc is slow to tell, or whose number was another's before."""

import os
import subprocess
import time

import pytest

import matrix
from cells import answers
from identities import OWNER, ROOT
from reading import Reader, read
from running import Target, compiled
from stuck import mute_server

LAST_PID = "/proc/sys/kernel/ns_last_pid"
SOME = ["pages", "layout", "summary", "files"]


@pytest.fixture
def shared(mount):
    one = mount("-o", "allow_other,max_age=0")
    one.expects(matrix.REFUSAL)
    return one


def never_answers(path):
    """Whether stat waits for what is at the path. The child that waits is freed when the server ends."""
    child = subprocess.Popen(["stat", "-L", path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        child.wait(0.3)
    except subprocess.TimeoutExpired:
        return True
    finally:
        child.kill()
    return False


@pytest.mark.timeout(60)
def test_reader_whose_root_directory_never_answers_is_answered_and_holds_up_nobody(shared, target, workspace):
    """Who a reader is shows in where its root directory is: a file system that must not be asked for that."""
    process = target("moving", under=OWNER, cwd="/")
    known = os.path.join(workspace, "known-of-odd")
    with open(known, "wb") as file:
        file.truncate(4 * 4096)
    with mute_server(workspace) as server:
        steps = [f"roots=/proc:{shared.path}", f"known={known}", f"chroot={server.point}"]
        inside = [Target([compiled("reader", workspace), *steps], cwd="/") for _ in range(4)]
        try:
            server.silence()
            assert never_answers(f"/proc/{inside[0].facts['pid']}/root/."), "the root directory answers"
            begin = time.monotonic()
            for _ in range(20):
                for one in inside:
                    found = answers(one, ["read m README", *(f"read m {process.pid}/{name}" for name in SOME)])
                    assert isinstance(found[0], bytes) and set(found[1:]) == {"EACCES"}, found
                assert read(f"{shared.path}/{process.pid}/layout", timeout=5)
            assert time.monotonic() - begin < 10
            with Reader(under=OWNER) as plain:
                assert plain.rest(plain.open(f"{shared.path}/{process.pid}/layout", timeout=5))
        finally:
            server.close()
            for one in inside:
                one.close()


def reader_of_number(number, under, tries=300):
    """A reader whose only thread has this very number."""
    for _ in range(tries):
        with open(LAST_PID, "w") as last:
            last.write(str(number - 1))
        one = Reader(under=under)
        if one.child.pid == number:
            return one
        one.__exit__()
    pytest.skip(f"others took number {number} {tries} times")


def told(reader, shared, process):
    """What a reader is told of a process: None where it is shown, or the errno."""
    found = []
    for view in SOME:
        try:
            assert reader.rest(reader.open(f"{shared.path}/{process.pid}/{view}"))
            found.append(None)
        except OSError as error:
            found.append(error.errno)
    return found


@pytest.mark.parametrize("first, second", [(ROOT, OWNER), (OWNER, ROOT)], ids=["root before a user", "a user before root"])
def test_reused_thread_number_has_the_rights_of_the_thread_that_has_it_now(shared, target, first, second):
    """The daemon keeps open what tells of threads that asked lately: it must not take the next one for them."""
    if not os.access(LAST_PID, os.W_OK):
        pytest.skip(f"{LAST_PID} cannot be written: no number can be forced")
    process = target("moving")
    for _ in range(3):
        with Reader(under=first) as one:
            number = one.child.pid
            before = told(one, shared, process)
        with reader_of_number(number, second) as other:
            after = told(other, shared, process)
        allowed = [None] * len(before)
        assert (before == allowed) == (first is ROOT) and (after == allowed) == (second is ROOT), (before, after)
