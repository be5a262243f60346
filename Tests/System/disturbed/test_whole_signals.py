"""A reader who gets signals all the time, and repeats what they interrupt, is given what an undisturbed reader is given."""

import os
import re
import stat
import subprocess
import time

import pytest

import formats
from comparing import ATTEMPTS, agree, in_flags
from oracle import Oracle
from reading import outcome, python
from running import Target, compiled

pytestmark = pytest.mark.timeout(100)

EVERY = {"2 ms": "2000", "20 ms": "20000", "at random": "random:5"}
OPTIONS = ["max_age=0", "max_age=1000"]
MILLISECONDS = 50  # for each path: two to twenty-five signals, and more where it takes longer
PAGES = 300 << 10
MOST = 500  # how often one call may be repeated


def names_and_types(folder):
    """What is in a folder: pairs of a name and the type of its mode."""
    code = "result = [(e.name.decode(), os.lstat(e.path).st_mode & 0o170000) for e in os.scandir(args[0])]"
    return sorted(python(code, folder))


HOW = {stat.S_IFREG: "read", stat.S_IFDIR: "list", stat.S_IFLNK: "link"}


def everything(mine, process):
    """Ways and paths: what is listed of a process and of a mapping, and what is only looked up."""
    base, span = f"{mine.path}/{process.pid}", process.facts["random"]
    vma = f"{base}/vma/{span}"
    found = [("crowd", mine.path), ("crowd", f"{mine.path}/by-name"), ("list", f"{mine.path}/by-name/still"),
             ("link", f"{mine.path}/by-name/still/{process.pid}"), ("list", base), ("stat", base), ("list", vma), ("stat", vma),
             ("list", f"{vma}/raw"), ("link", f"{base}/at/{span.partition('-')[0]}"), ("size", f"{vma}/letters"),
             ("size", f"{vma}/raw/pagemap"), ("stat", f"{vma}/pages"), ("link", f"{base}/vma/{process.facts['memfd']}/backing")]
    found += [("read", f"{mine.path}/{name}") for name in ("README", "legend", "capabilities")]
    found += [("read", f"{vma}/raw/{name}") for name in ("pagemap", "kpageflags", "kpagecount", "kpagecgroup")]
    found += [("read", f"{base}/{name}@{span}") for name in ("pages", "ranges", "flags", "mapcounts")]
    found += [("link", f"{base}/by-label/{name}") for name, _ in names_and_types(f"{base}/by-label")[:3]]
    for folder in base, f"{base}/vma/{process.facts['many']}", vma:
        found += [(HOW[kind], f"{folder}/{name}") for name, kind in names_and_types(folder) if name != "at"]
    return list(dict.fromkeys(found))


@pytest.fixture(scope="module")
def still(workspace):
    process = Target([compiled("still", workspace, "-static"), str(16 << 20)])
    yield process
    process.close()


def signalled(workspace, every, how, path, **popen):
    """What targets/signalled.c tells of its looks at a path, as numbers."""
    command = [compiled("signalled", workspace), EVERY.get(every, every), str(MILLISECONDS), how, path]
    done = outcome(command, timeout=60, **popen)
    said = done.stderr.decode()
    assert done.returncode == 0, said
    return {key: int(value) for key, value in (word.split("=") for word in said.split())}


def undisturbed(workspace, every, how, path):
    """The numbers, once all looks agree with the undisturbed ones. Flags move by themselves, so there are three attempts
    where lines differ; where lines are missing there is one, but for tables whose number of rows depends on flags."""
    for attempt in range(ATTEMPTS):
        try:
            return signalled(workspace, every, how, path)
        except AssertionError as failure:
            found = re.search(r"(\d+) lines in \d+ bytes instead of (\d+) in", str(failure))
            moved = found and (found[1] == found[2] or "flags" in path or "ranges" in path)
            if attempt == ATTEMPTS - 1 or not moved:
                raise
    raise AssertionError("not reached")


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("every", EVERY)
def test_reader_under_signals_is_given_the_bytes_of_an_undisturbed_one(mount, still, workspace, every, options):
    mine = mount("-o", options)
    total, failures = {}, []
    for how, path in everything(mine, still):
        try:
            numbers = undisturbed(workspace, every, how, path)
        except AssertionError as failure:
            failures.append(str(failure).partition("\n")[0])
            assert len(failures) < 5, "\n".join(failures)
            continue
        for key, value in numbers.items():
            total[key] = max(total.get(key, 0), value) if key == "most" else total.get(key, 0) + value
    assert not failures, "\n".join(failures)
    assert total["signals"] > 100, total
    assert every == "20 ms" or total["open"] + total["read"] > 0, f"nothing was interrupted: {total}"
    assert total["most"] < MOST, total


@pytest.fixture(scope="module")
def scattered(workspace):
    """307,200 pages touched in random order: neighbours lie in frames that are far apart, so that frames are sorted."""
    process = Target([compiled("dense", workspace), str(PAGES << 12), "random"])
    yield process
    process.close()


class Stream:
    """A stream of a mapping, written to a file under signals."""

    def __init__(self, mount, workspace, process, options):
        self.folder = f"{mount('-o', options).path}/{process.pid}/vma/{process.facts['range']}"
        self.process, self.workspace = process, workspace
        self.file = os.path.join(workspace, "stream.txt")
        self.interrupted = 0

    def copy(self, every, kind):
        with open(self.file, "wb") as file:
            numbers = signalled(self.workspace, every, "copy", f"{self.folder}/{kind}", stdout=file, stderr=subprocess.PIPE)
        assert numbers["most"] < MOST, numbers
        self.interrupted += numbers["open"] + numbers["read"]

    def check(self, every, kind):
        with Oracle(self.workspace, self.process.pid, self.process.facts["range"]) as oracle:
            rows = oracle.rows(kind, self.file, lambda: self.copy(every, kind))
        assert self.interrupted, f"no call was interrupted while {kind} was read"
        return rows


@pytest.mark.parametrize("every, options", [
    ("2 ms", "max_age=0"), ("2 ms", "threads=1"), ("3000", "max_age=1000"), ("20 ms", "noscan"), ("20 ms", "max_age=0"),
    ("at random", "max_age=0,noscan"), ("at random", "threads=4"),
])
def test_stream_of_pages_has_every_row_under_signals(mount, workspace, scattered, every, options):
    assert Stream(mount, workspace, scattered, options).check(every, "pages") == PAGES


@pytest.mark.parametrize("every, options", [("2 ms", "max_age=1000"), ("20 ms", "max_age=0"), ("at random", "threads=1")])
def test_stream_of_ranges_has_every_row_under_signals(mount, workspace, scattered, every, options):
    assert Stream(mount, workspace, scattered, options).check(every, "ranges") > 280_000


@pytest.mark.parametrize("options", OPTIONS)
def test_long_open_succeeds_under_signals_every_2_ms(mount, workspace, scattered, options):
    """The table of flags of 1.2 GiB takes tens of milliseconds at open, which no reader under such signals is left."""
    stream = Stream(mount, workspace, scattered, options)

    def flags():
        stream.copy("2 ms", "flags")
        with open(stream.file, "rb") as file:
            return formats.flags(file.read())

    with Oracle(workspace, scattered.pid, scattered.facts["range"]) as oracle:
        begin = time.monotonic()
        agree(flags, oracle.flags, in_flags)
        assert time.monotonic() - begin < 60
    assert stream.interrupted
