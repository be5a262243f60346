"""One of many readers at once: what /proc shows it of some processes is what the mount must show it, every time.

crowd_member.py JOB: runs under the identity that is tried; JOB says in JSON what to look at. It
prints how many answers it has compared, and the first that were wrong.
"""

import errno
import json
import os
import random
import struct
import sys
import time

FRAME = (1 << 55) - 1


class Refused(str):
    """The name of the errno of a refusal."""


def told(action, *args):
    """What ACTION returns, or how it is refused."""
    try:
        return action(*args)
    except OSError as error:
        return Refused(errno.errorcode[error.errno])


def whole(path):
    with open(path, "rb", buffering=0) as file:
        pieces = []
        while piece := file.read(1 << 17):
            pieces.append(piece)
    return b"".join(pieces).decode()


def word(path, number):
    with open(path, "rb", buffering=0) as file:
        return struct.unpack("=Q", os.pread(file.fileno(), 8, number * 8))[0]


def first_word(path):
    return word(path, 0)


def ranges(maps):
    return [line.split()[0] for line in maps.splitlines()]


class Truth:
    """What /proc shows this reader of one process, whose page at ADDRESS is written."""

    def __init__(self, pid, address):
        proc = f"/proc/{pid}"
        self.maps = told(whole, f"{proc}/maps")
        self.entry = told(word, f"{proc}/pagemap", address // 4096)
        self.rollup = told(whole, f"{proc}/smaps_rollup")
        self.listed = told(os.listdir, f"{proc}/map_files")
        self.link = self.listed if isinstance(self.listed, Refused) else told(os.readlink, f"{proc}/map_files/{self.listed[0]}")
        self.program = told(os.readlink, f"{proc}/exe")
        self.kernel_flags = told(word, "/proc/kpageflags", 0)

    def __eq__(self, other):
        return vars(self) | {"rollup": None} == vars(other) | {"rollup": None}

    @property
    def table(self):
        """How a table of pages is refused, or the frame that it shows for the page."""
        if isinstance(self.maps, Refused):
            return self.maps
        return self.entry if isinstance(self.entry, Refused) else f"{self.entry & FRAME:x}" if self.entry & FRAME else "?"

    def expected(self, span):
        """A dictionary VIEW -> how it is refused, or the gist of what is shown."""
        denied = isinstance(self.maps, Refused)
        line = None if denied else next(line for line in self.maps.splitlines() if line.startswith(span))
        frames = self.table if isinstance(self.table, Refused) or self.table != "?" else Refused("EACCES")
        return {
            "info": "?" if isinstance(self.program, Refused) else self.program,
            "layout": self.maps if denied else ranges(self.maps),
            "vma": self.maps if denied else ranges(self.maps),
            f"vma/{span}/maps": self.maps if denied else line,
            "summary": self.rollup if isinstance(self.rollup, Refused) else isinstance(self.entry, Refused),
            "pages": self.table,
            f"vma/{span}/pages": self.table,
            f"vma/{span}/letters": self.table,
            f"vma/{span}/raw/pagemap": self.table,
            f"vma/{span}/raw/kpageflags": self.kernel_flags if isinstance(self.kernel_flags, Refused) and not denied else frames,
            "files": self.listed if isinstance(self.listed, Refused) else True,
        }


def gist(folder, view, address):
    """The gist of what the mount shows."""
    name = view.rpartition("/")[2]
    if view == "vma":
        return os.listdir(f"{folder}/{view}")
    if name in ("pagemap", "kpageflags"):
        value = first_word(f"{folder}/{view}")
        return f"{value & FRAME:x}" if name == "pagemap" and value & FRAME else "?" if name == "pagemap" else value
    lines = whole(f"{folder}/{view}").splitlines()
    if name == "layout":
        return [line.split()[0] for line in lines[2:]]
    if name in ("pages", "letters"):
        return next(line.split()[2] for line in lines[1:] if line.startswith(f"{address:x} "))
    report = {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}
    return {"info": lambda: report["Executable"], "summary": lambda: report["Entries"] == "?",
            "maps": lambda: lines[0], "files": lambda: len(lines) > 2}[name]()


def agrees(view, expected, got, stricter):
    if stricter and (got == Refused("EACCES") or got in ("?", True)):
        return True
    if view.endswith("kpageflags"):
        return isinstance(got, Refused) == isinstance(expected, Refused)
    return isinstance(got, Refused) == isinstance(expected, Refused) and got == expected


def main(job):
    targets = {pid: (span, int(span.split("-")[0], 16)) for pid, span in job["targets"].items()}
    truths = {pid: Truth(pid, address) for pid, (_, address) in targets.items()}
    work = [(pid, view, value) for pid in targets for view, value in truths[pid].expected(targets[pid][0]).items()]
    order, wrong, compared, refused = random.Random(job["seed"]), [], 0, 0
    deadline, rounds = time.monotonic() + job["seconds"], 0
    while time.monotonic() < deadline or not rounds:
        order.shuffle(work)
        for pid, view, expected in work:
            got = told(gist, f"{job['mount']}/{pid}", view, targets[pid][1])
            compared += 1
            refused += isinstance(got, Refused)
            if not agrees(view, expected, got, job["stricter"]):
                wrong.append(f"{pid}/{view}: {got!r:.200} instead of {expected!r:.200}")
        rounds += 1
    changed = [pid for pid, (_, address) in targets.items() if Truth(pid, address) != truths[pid]]
    print(json.dumps({"compared": compared, "refused": refused, "wrong": wrong[:10], "count": len(wrong), "changed": changed}))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
