"""Whether `pages` says page by page what page-types says.

page-types knows frame, map count and the bits of kpageflags; the flags that pagefs takes from pagemap, and the columns
cgroup and node, it does not have. A kernel that works meanwhile changes flags, so what differs is looked at again. The pages
of [vdso] are mapped by page-types itself too, which changes their map count: they are left out.
"""

import re
import subprocess

# Names that pagefs prints for a bit which page-types, asked for raw bits, calls by its first name.
RAW = {"readahead": "reclaim"}
PAGEMAP = {"softdirty", "mmap_exclusive", "uffd_wp", "guard", "file"}


def flag_names(page_types):
    """The names of page-types in the order of the letters it prints."""
    text = subprocess.run([page_types, "-h"], capture_output=True, text=True).stdout
    return re.findall(r"([a-z_0-9]+)(?:\(.\))?", text.split("bit-names:")[1].split("(r) raw mode")[0])


def by_page_types(page_types, pid):
    """Address to (frame, map count, names) of every present page."""
    names = flag_names(page_types)
    text = subprocess.run([page_types, "-p", str(pid), "-L", "-M", "-N", "-r"], capture_output=True, text=True).stdout
    pages = {}
    for line in text.splitlines()[1:]:
        fields = line.split("\t")
        if len(fields) != 4:
            continue
        flags = frozenset(name for name, letter in zip(names, fields[3]) if letter != "_")
        pages[int(fields[0], 16) << 12] = (fields[2], fields[1], flags - PAGEMAP)
    return pages


def by_pagefs(path):
    """The same from a `pages` of pagefs."""
    pages = {}
    with open(path) as lines:
        for line in lines:
            if line.startswith("#"):
                continue
            address, state, frame, count, _, _, flags = line.split()
            if state in ("present", "zero"):
                names = set() if flags == "-" else {RAW.get(name, name) for name in flags.split(",")}
                pages[int(address, 16)] = (frame, count, frozenset(names - PAGEMAP))
    return pages


def shared_by_all(pid):
    """The addresses of [vdso]."""
    with open(f"/proc/{pid}/maps") as maps:
        for line in maps:
            if line.endswith("[vdso]\n"):
                start, end = (int(word, 16) for word in line.split()[0].split("-"))
                return range(start, end)
    return range(0)


def compare(page_types, pid, path, attempts=4):
    """Pages compared, and those that differ each time."""
    differing = None
    left_out = shared_by_all(pid)
    for _ in range(attempts):
        theirs, ours = by_page_types(page_types, pid), by_pagefs(path)
        now = {
            page for page in theirs.keys() | ours.keys() if theirs.get(page) != ours.get(page) and page not in left_out}
        differing = now if differing is None else differing & now
        if not differing:
            break
    return len(ours), sorted(differing)
