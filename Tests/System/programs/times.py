"""times.py PATH...: reads each file and lists each directory five times; prints the seconds that each took."""

import os
import sys
import time


def look(path):
    if os.path.basename(path) in ("vma", "by-label", "by-name", ""):
        os.listdir(path)
        return
    with open(path, "rb", buffering=0) as file:
        while file.read(1 << 17):
            pass


def timed(path):
    begin = time.monotonic()
    look(path)
    return time.monotonic() - begin


print({path: [timed(path) for _ in range(5)] for path in sys.argv[1:]})
