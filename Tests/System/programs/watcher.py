"""watcher.py FOLDER RANGE...: reads all that a process and its mappings show, over and over, until there is something on stdin.

Prints how often each kind of answer came, and what was wrong.
"""

import collections
import errno
import os
import select
import sys

folder, ranges = sys.argv[1], sys.argv[2:]
seen, wrong = collections.Counter(), []
views = ["pages", "ranges", "flags", "mapcounts", "letters", "strip", "fill", "summary", "info", "maps", "smaps"]
views += ["raw/pagemap", "raw/kpageflags"]
paths = [f"{folder}/vma/{one}/{view}" for one in ranges for view in views]
paths += [f"{folder}/{view}" for view in ("pages", "ranges", "flags", "mapcounts", "strip", "fill", "summary", "layout", "files", "info")]


def whole(path):
    with open(path, "rb", buffering=0) as file:
        pieces = []
        while piece := file.read(65536):
            pieces.append(piece)
        return b"".join(pieces)


def counted(action, path):
    """What ACTION returns, None if it is refused."""
    try:
        value = action(path)
        seen["answers"] += 1
        return value
    except OSError as error:
        seen[errno.errorcode[error.errno]] += 1


told_to_end = False
while not told_to_end:
    told_to_end = select.select([sys.stdin], [], [], 0)[0]
    for path in paths:
        data = counted(whole, path)
        if data == b"":
            wrong.append(f"{path} is empty")
        if data and "/vma/" in path and path.endswith("/pages"):
            start, end = (int(part, 16) for part in path.split("/")[-2].split("-"))
            wrong += [line for line in data.decode().splitlines()[2:] if not start <= int(line.split()[0], 16) < end]
    for path in (folder, folder + "/vma", folder + "/by-label"):
        counted(os.listdir, path)
        counted(os.lstat, path)
print((dict(seen), wrong[:10]))
