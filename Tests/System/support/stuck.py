"""Processes that wait for ever, and those who look at them.

Everything here is undone from outside: a filesystem is thawed and the connection of a FUSE server ended by a guard (see
targets/guard.h), also when the test fails, is killed, or takes longer than PATIENCE seconds.
"""

import contextlib
import os
import signal
import statistics
import subprocess
import tempfile
from typing import NamedTuple

from mounting import is_mounted
from reading import run, told, until
from running import Target, compiled

PATIENCE = 60
PAGE = 4096

PROCESS_FILES = ["info", "summary", "layout", "pages", "ranges", "flags", "mapcounts", "strip", "fill", "files"]
MAPPING_FILES = ["info", "summary", "pages", "ranges", "flags", "mapcounts", "letters", "strip", "fill", "maps", "smaps"]
RAW = ["raw/pagemap", "raw/kpageflags", "raw/kpagecount", "raw/kpagecgroup"]
LINKS = ["map_files", "maps", "smaps", "pagemap"]
LISTINGS = ["", "vma", "by-label"]
# Rows of these depend on flags of pages, which the kernel flips.
VARYING = ("/flags", "/ranges", "/extents", "/mapcounts")


def everything(folder, *ranges):
    """Every kind of file, listing and link of a process, and of these mappings of it, as `crowd` wants to be told of it."""
    found = [f"read:{folder}/{name}" for name in PROCESS_FILES] + [f"list:{folder}/{name}" for name in LISTINGS]
    found += [f"link:{folder}/{name}" for name in LINKS]
    for one in ranges:
        found += [f"read:{folder}/vma/{one}/{name}" for name in MAPPING_FILES + RAW]
        found += [f"list:{folder}/vma/{one}", f"stat:{folder}/vma/{one}/letters", f"stat:{folder}/vma/{one}/raw/pagemap"]
        found += [f"link:{folder}/vma/{one}/backing", f"link:{folder}/at/{one.partition('-')[0]}"]
    return found


def to_hold(folder, one):
    """Files whose rows are read when they are asked for, long after the open: of a process, and of a mapping of many pages."""
    names = ["pages", "ranges", *(f"vma/{one}/{name}" for name in ["pages", "ranges", "letters", *RAW])]
    return [f"held:{folder}/{name}" for name in names]


def files_of(folder, *ranges):
    """The paths of every kind of file."""
    return [what.partition(":")[2] for what in everything(folder, *ranges) if what.startswith("read:")]


class Result(NamedTuple):
    """What one of a crowd had: an errno (0 for a whole answer), lines or names, microseconds."""

    error: int
    count: int
    taken: int


def as_whole(what, one, now):
    """Whether two readers had the same answer, as far as can be told from its length: with that of the second, the first is whole.

    A process that goes on touches a few more pages of its stack and of its libraries.
    """
    slack = 16 if what.endswith("/pages") and "/vma/" not in what else 0
    return one.error == now.error and (abs(one.count - now.count) <= slack or (what.endswith(VARYING) and one.count > 2))


class Crowd:
    """Readers in processes of their own, all at once: targets/crowd.c."""

    def __init__(self, workspace, whats):
        self.whats = list(whats)
        self.target = Target([compiled("crowd", workspace), *self.whats])

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.target.close()

    def waiting(self, timeout=0):
        """How many still wait when all are done, or the time is over."""
        return int(self.target.tell(f"wait {int(timeout * 1000)}", timeout + 30))

    def results(self):
        """For each reader a Result, or `waits` or `killed`."""
        words = self.target.tell("results").split()
        return [Result(*map(int, word.split(":"))) if ":" in word else word for word in words]

    def go(self):
        """Those who hold a file read it now."""
        assert self.target.tell("go") == "ok"

    def end(self, batch=5):
        """Ends all that wait by SIGTERM and SIGKILL in turn; the seconds that each took, None for one that did not end."""
        words = self.target.tell(f"end {batch}", 60).split()
        return [None if word == "-1" else int(word) / 1e6 for word in words]


def hangs(workspace, paths, seconds=0.3):
    """Whether every reading of these files of /proc takes longer than that."""
    with Crowd(workspace, [f"read:{path}" for path in paths]) as crowd:
        return crowd.waiting(seconds) == len(paths)


@contextlib.contextmanager
def loop_filesystem(workspace):
    """A small ext4 filesystem of its own; its mount point."""
    with tempfile.TemporaryDirectory(prefix="loop-", dir=workspace) as folder:
        image, point = f"{folder}/image", f"{folder}/point"
        with open(image, "wb") as file:
            file.truncate(16 << 20)
        os.mkdir(point)
        run(["mkfs.ext4", "-q", "-F", image])
        run(["mount", "-o", "loop", image, point])
        try:
            yield point
        finally:
            # What mapped a file of it has been told to end, and does so in a moment.
            until(lambda: subprocess.run(["umount", point], capture_output=True).returncode == 0, 10, "the unmount")


class Stuck:
    """COUNT processes whose memory locks are held until `thaw`: targets/stuck.c."""

    def __init__(self, workspace, point, count, rows):
        self.workspace, self.point = workspace, point
        self.disk = None
        file = f"{point}/file"
        with open(file, "wb") as made:
            made.write(bytes(max(count, 4) * PAGE))
        self.target = Target([compiled("stuck", workspace), file, str(count), str(rows)])
        self.pids = [int(pid) for pid in self.target.facts["pids"].split(",")]
        self.ranges = [self.target.facts["file"], self.target.facts["reads"]]

    def stick(self):
        self.disk = Target([compiled("frozen", self.workspace), self.point, str(PATIENCE)])
        assert self.target.tell("stick") == "ok"
        assert hangs(self.workspace, [f"/proc/{pid}/smaps" for pid in self.pids]), "the targets are not stuck"
        return self

    def thaw(self):
        assert self.disk.tell("thaw") == "ok"

    def close(self):
        # The end of this one thaws the filesystem, if it still has to be.
        if self.disk:
            self.disk.close()
        self.target.close()
        until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in self.pids), 10, "the end of the targets")


@contextlib.contextmanager
def stuck_targets(workspace, count, rows=16):
    """Processes that are about to be stuck: `stick` does it. Each has a mapping of ROWS pages."""
    with loop_filesystem(workspace) as point:
        targets = Stuck(workspace, point, count, rows)
        try:
            yield targets
        finally:
            targets.close()


class Mute:
    """A FUSE server with one file, which answers until it is told to be silent for ever: targets/mute.c."""

    def __init__(self, workspace, size):
        self.point = tempfile.mkdtemp(prefix="mute-", dir=workspace)
        self.file = f"{self.point}/file"
        self.target = Target([compiled("mute", workspace), self.point, str(size), str(PATIENCE)])

    def silence(self):
        self.asked()
        self.target.proc.send_signal(signal.SIGSTOP)

    def speak(self):
        self.target.proc.send_signal(signal.SIGCONT)

    def asked(self):
        """How many requests came since the last call; it has to answer to tell."""
        return int(self.target.tell("asked"))

    def close(self):
        self.target.close()
        until(lambda: not is_mounted(self.point), 10, "the end of the server")


@contextlib.contextmanager
def mute_server(workspace, size=16 * PAGE):
    """A server that still answers."""
    server = Mute(workspace, size)
    try:
        yield server
    finally:
        server.close()


def usual_times(paths, timeout=10):
    """The median time in seconds that each file takes to be read, and each directory to be listed; Hung if one hangs."""
    return {path: statistics.median(times) for path, times in told("times.py", *paths, timeout=timeout).items()}


def slower(paths, usual, floor=0.02):
    """Those that take more than twice their usual time. What is slow once only is so for a reason of the machine."""
    late = list(paths)
    for _ in range(3):
        if late:
            now = usual_times(late)
            late = [path for path in late if now[path] > max(2 * usual[path], floor)]
    return late
