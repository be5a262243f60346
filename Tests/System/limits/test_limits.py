"""Limits: what handles hold is bounded, in all and for each user, and comes back when they are closed."""

import ast
import collections
import os
import resource
import select
import subprocess

import pytest

from holdings import all_given_back, descriptors, folder
from identities import NOBODY, ROOT
from reading import PYTHON, errno_of, names, outcome, program, read, until

MIB = 1 << 20


class Openers:
    """Processes that open handles, COUNT in all, read a little of each file, and keep them until they are told to end."""

    def __init__(self, count, *paths, processes=1, under=ROOT):
        pipe = subprocess.PIPE
        argv = [*under, *program("openers.py", str(count // processes), *paths)]
        self.children = [subprocess.Popen(argv, stdin=pipe, stdout=pipe, cwd="/") for _ in range(processes)]

    def __enter__(self):
        self.held, self.failed = 0, collections.Counter()
        try:
            for child in self.children:
                assert select.select([child.stdout], [], [], 60)[0], "the handles were not open within a minute"
                held, failed = ast.literal_eval(child.stdout.readline().decode())
                self.held += held
                self.failed.update(failed)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *failure):
        for child in self.children:
            child.kill()
            child.communicate(timeout=20)


def limited(descriptors):
    """Arguments of Popen that bound how many descriptors the child may ever have open."""
    return {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))}


def views(mine, process):
    return [f"{folder(mine, process)}/{name}" for name in ("pages", "letters", "raw/pagemap")] + [f"{folder(mine, process)}/"]


@pytest.mark.quick
@pytest.mark.parametrize("under, errno, most", [(ROOT, "ENFILE", 256), (NOBODY, "EMFILE", 64)], ids=["root", "nobody"])
def test_handles_take_at_most_half_of_the_descriptors_a_plain_user_a_quarter_of_that(mount, target, under, errno, most):
    mine, process = mount(under=under, **limited(512)), target("moving", under=under, cwd="/")
    paths = views(mine, process)
    for _ in range(2):
        with Openers(400, *paths, under=under) as openers:
            assert (openers.held, openers.failed) == (most, {errno: 400 - most})
            assert descriptors(mine) < 512 - 64
            for path in paths:
                assert errno_of("open", path, under=under) == errno
                assert errno_of("lstat", path, under=under) is None
        until(lambda: not outcome(["cat", *paths[:3]], under, stdout=subprocess.DEVNULL).returncode, 10, "recovery")
        # Its own handles are released a moment after it has ended.
        until(lambda: outcome([PYTHON, "-c", "import os, sys; [os.open(sys.argv[1], 0) for _ in range(int(sys.argv[2]))]",
                               paths[0], str(most)], under).returncode == 0, 10, "room for as many handles as before")


@pytest.mark.parametrize("under, most", [(ROOT, 256 * MIB), (NOBODY, 64 * MIB)], ids=["root", "nobody"])
def test_bytes_of_handles_are_bounded_by_ENOMEM(mount, target, under, most):
    mine, process = mount(under=under), target("dense", 8 * MIB, under=under, cwd="/")
    before = mine.memory()
    for name, size in ("flags", 0), ("pages", 150_000):
        with Openers(2500, f"{folder(mine, process)}/{name}", under=under) as openers:
            if size:
                assert set(openers.failed) == {"ENOMEM"}
                assert most // 2 < openers.held * size < 2 * most
            else:
                assert (openers.held, openers.failed) == (2500, {})
            assert mine.memory() - before < most
    until(lambda: errno_of("read", f"{folder(mine, process)}/pages", under=under) is None, 10, "recovery")
    with Openers(100, f"{folder(mine, process)}/pages", under=under) as openers:
        assert not openers.failed


def test_ten_thousand_handles_exhaust_nothing_and_give_everything_back(mount, target):
    mine, process = mount(), target("dense", MIB)
    paths = views(mine, process)[:3]
    read(paths[0])
    before, limit = mine.memory(), resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    with Openers(10_000, *paths, processes=4) as openers:
        assert set(openers.failed) <= {"ENFILE", "ENOMEM"}
        assert openers.held > min(5000, limit // 2 - 1)
        assert descriptors(mine) < max(limit * 3 // 4, limit - 256)
        assert mine.memory() - before < 256 * MIB
    all_given_back(mine)
    until(lambda: descriptors(mine) < 64, 10, "the close of all descriptors")
    until(lambda: mine.memory() - before < 48 * MIB, 10, "the return of memory")


def test_listing_counts_its_names(mount, target):
    mine, crowd = mount(), target("mappings", 60_000)
    with Openers(200, f"{mine.path}/{crowd.pid}/vma/") as openers:
        assert set(openers.failed) == {"ENOMEM"}
        assert 10 < openers.held < 60
    all_given_back(mine)
    assert len(names(f"{mine.path}/{crowd.pid}/vma")) > 60_000


def test_few_descriptors_suffice_for_many_processes(mount, spawn):
    mine = mount("-o", "max_age=0", **limited(256))
    crowd = [spawn(["sleep", "1000"]) for _ in range(150)]
    paths = [f"{mine.path}/{one.pid}/{name}" for one in crowd for name in ("info", "summary", "pages")]
    assert outcome(["cat", *paths], stdout=subprocess.DEVNULL).returncode == 0
    assert descriptors(mine) < 128


@pytest.mark.quick
def test_lack_of_descriptors_is_told_as_such(mount, target):
    """Never as a process that is not there or has no memory."""
    mine, process, other = mount("-o", "max_age=0"), target("moving"), target("moving")
    known = f"{mine.path}/{process.pid}"
    read(f"{known}/info")
    highest = max(int(number) for number in os.listdir(f"/proc/{mine.pid}/fd"))
    hard = resource.prlimit(mine.pid, resource.RLIMIT_NOFILE)[1]
    resource.prlimit(mine.pid, resource.RLIMIT_NOFILE, (3, hard))
    try:
        assert highest >= 3
        for operation, path in [
            ("lstat", f"{mine.path}/{other.pid}"), ("open", f"{known}/pages"), ("open", f"{known}/layout"), ("open", f"{known}/summary"),
            ("list", f"{known}/vma"), ("list", mine.path), ("list", f"{mine.path}/by-name"), ("readlink", f"{mine.path}/self"),
        ]:
            assert errno_of(operation, path) == "EMFILE", (operation, path)
    finally:
        resource.prlimit(mine.pid, resource.RLIMIT_NOFILE, (hard, hard))
    assert errno_of("list", f"{mine.path}/{other.pid}/vma") is None
