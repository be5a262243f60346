"""The views of a mapping, what of them stays the same from one reading to the next, and the counters of `status`."""

import os

import formats
from reading import read, run
from retries import attempts

VIEWS = ["info", "summary", "pages", "ranges", "flags", "mapcounts", "letters", "strip", "fill", "maps", "smaps"]
RAW = ["pagemap", "kpageflags", "kpagecount", "kpagecgroup"]


def body(table):
    """A table without its first line, which tells the time."""
    return table.split(b"\n", 1)[1]


def unchanged(data):
    return data


def same(path, action, key=unchanged):
    """ACTION gives what `cat` gives just before or just after; repeated where the kernel changed a flag in between."""
    for _ in attempts(3, "copy of a file"):
        before = key(read(path))
        got = action()
        assert got, "an empty answer proves nothing"
        if got in (before, key(read(path))):
            return
    raise AssertionError(f"{got[:200]!r} instead of {before[:200]!r}")


GIST = {
    "info": formats.report,
    "summary": lambda data: {key: formats.report(data)[key] for key in ("Rss", "Anonymous", "Uss", "Entries", "Present")},
    "pages": lambda data: [row[:4] for row in formats.pages(data)],
    "ranges": lambda data: sum(row.pages for row in formats.ranges(data)),
    "flags": lambda data: sum(row.pages for row in formats.flags(data)),
    "mapcounts": lambda data: sum(row.pages for row in formats.map_counts(data)),
    "letters": lambda data: [line.split()[:4] for line in data.decode().splitlines()[1:]],
    "strip": lambda data: formats.strip(data)[0],
    "fill": lambda data: formats.fill(data)[0],
    "maps": unchanged,
    "smaps": lambda data: {key: value for key, value in formats.report(data.split(b"\n", 1)[1]).items() if key != "Referenced"},
}


def check_copy(folder, copied):
    """What was copied says of every view what the tree says now, but for times and flags that the kernel flips."""
    for view in VIEWS:
        with open(os.path.join(copied, view), "rb") as file:
            assert GIST[view](file.read()) == GIST[view](read(f"{folder}/{view}")), view


def archive(tool, folder, name, destination):
    """NAME below FOLDER goes through TOOL to DESTINATION."""
    if tool == "rsync":
        run(["rsync", "-a", "--ignore-times", "--relative", f"{folder}/./{name}", str(destination)])
    else:
        script = f'tar -C "$0" -c{"S" if tool == "tar -S" else ""}f - "$1" | tar -C "$2" -xf -'
        run(["sh", "-c", script, folder, name, str(destination)], timeout=60)


def numbers(path):
    """The numbers of `status`, without their units."""
    return {key: int(value.split()[0]) for key, value in formats.report(read(path)).items()}
