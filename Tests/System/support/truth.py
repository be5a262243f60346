"""What /proc says about pages, decoded here and nowhere else: the independent oracle of the differential tests.

It shares nothing with the product. Bits, names and rules are written down again from the kernel's documentation and
the description of the tree, so that a mistake in either of the two decoders shows as a difference.
"""

import functools
import os
import pathlib
import struct
from typing import NamedTuple

PAGE = os.sysconf("SC_PAGE_SIZE")

# Long names of the bits of kpageflags, as page-types spells them.
KERNEL_NAMES = dict(
    enumerate(
        "locked error referenced uptodate dirty lru active slab writeback reclaim buddy mmap anonymous swapcache "
        "swapbacked compound_head compound_tail huge unevictable hwpoison nopage ksm thp offline zero_page idle_page "
        "pgtable".split()
    )
) | dict(
    enumerate(
        "reserved mlocked owner_2 private private_2 owner_private arch uncached softdirty arch_2 arch_3".split(), 32
    )
)
BIT = {name: bit for bit, name in KERNEL_NAMES.items()}
PAGEMAP_NAMES = {55: "softdirty", 56: "mmap_exclusive", 57: "uffd_wp", 58: "guard", 61: "file"}

# On frames with one of these the kernel's mapping field means something else: their anonymity is not true.
NOT_FOR_USERS = ("slab", "pgtable", "offline", "buddy")
BOGUS_THERE = ("mmap", "anonymous", "swapcache", "ksm")

STATES = ("present", "zero", "swapped", "guard", "marker", "special")


class Mapping(NamedTuple):
    """A line of /proc/PID/maps."""

    start: int
    end: int
    perms: str
    offset: int
    device: str
    inode: int
    name: bytes

    @property
    def range(self):
        return f"{self.start:x}-{self.end:x}"

    @property
    def pages(self):
        return (self.end - self.start) // PAGE


def parse_mapping(line):
    """A line of maps: five fields, then blanks, then the name, which may hold anything."""
    addresses, perms, offset, device, inode, name = (line + b" ").split(b" ", 5)
    start, end = (int(part, 16) for part in addresses.split(b"-"))
    return Mapping(start, end, perms.decode(), int(offset, 16), device.decode(), int(inode), name[:-1].lstrip(b" "))


def mappings(pid):
    lines = pathlib.Path(f"/proc/{pid}/maps").read_bytes().split(b"\n")[:-1]
    return [parse_mapping(line) for line in lines]


def mapping_of(pid, start):
    """The one mapping that begins at START."""
    (found,) = [one for one in mappings(pid) if one.start == start]
    return found


class Page(NamedTuple):
    """A page that has an entry in the page map, with the words the kernel gives for its frame (None: it has none)."""

    address: int
    entry: int
    flags: int | None = None
    count: int | None = None
    cgroup: int | None = None
    node: int | None = None

    def bit(self, number):
        return bool(self.entry >> number & 1)

    @property
    def state(self):
        if self.bit(63):
            return "zero" if self.has("zero_page") else "present"
        if self.bit(58):
            return "guard"
        kind = self.entry & 31
        return "marker" if kind == 31 else "special" if kind >= 24 else "swapped"

    @property
    def frame(self):
        return self.entry & (1 << 55) - 1

    @property
    def swap(self):
        """Type and offset of an entry that is not present."""
        return self.entry & 31, (self.entry & (1 << 55) - 1) >> 5

    @property
    def truthful(self):
        """The flags word without what is known to be wrong in it."""
        word = self.flags or 0
        if any(word >> BIT[name] & 1 for name in NOT_FOR_USERS):
            for name in BOGUS_THERE:
                word &= ~(1 << BIT[name])
        return word

    def has(self, name):
        return bool(self.truthful >> BIT[name] & 1)

    @property
    def pagemap_names(self):
        return [name for bit, name in PAGEMAP_NAMES.items() if self.bit(bit)]

    @property
    def names(self):
        """All flags in words: the kernel's bits first, in their order, then the page map's."""
        found = []
        for bit in range(64):
            if self.truthful >> bit & 1:
                name = KERNEL_NAMES.get(bit, f"bit{bit}")
                if name == "owner_2" and self.has("anonymous"):
                    name = "anon_exclusive"
                elif name == "reclaim" and not self.has("writeback"):
                    name = "readahead"
                found.append(name)
        return found + self.pagemap_names


def pread_words(fd, first, count):
    """COUNT words from word number FIRST on; where the file is cut short, zeros."""
    data = b""
    while len(data) < count * 8:
        piece = os.pread(fd, min(count * 8 - len(data), 1 << 16), first * 8 + len(data))
        if not piece:
            break
        data += piece
    return struct.unpack(f"={count}Q", data.ljust(count * 8, b"\0"))


class Frames:
    """The arrays that the kernel keeps for each page frame, and the node each frame belongs to."""

    def __init__(self):
        self.files = []
        for name in ("kpageflags", "kpagecount", "kpagecgroup"):
            self.files.append(os.open(f"/proc/{name}", os.O_RDONLY))

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        for fd in self.files:
            os.close(fd)

    def look_up(self, frames):
        """A dictionary FRAME -> (flags, count, cgroup)."""
        found = {}
        ordered = sorted(set(frames))
        while ordered:
            run = 1
            while run < len(ordered) and ordered[run] == ordered[0] + run:
                run += 1
            columns = [pread_words(fd, ordered[0], run) for fd in self.files]
            found.update(zip(ordered[:run], zip(*columns)))
            del ordered[:run]
        return found


@functools.cache
def memory_blocks():
    """The size of a memory block in frames, and a dictionary BLOCK -> node."""
    base = pathlib.Path("/sys/devices/system/memory")
    size = int((base / "block_size_bytes").read_text(), 16) // PAGE
    nodes = {}
    for block in base.glob("memory[0-9]*"):
        for link in block.glob("node[0-9]*"):
            nodes[int(block.name[6:])] = int(link.name[4:])
    return size, nodes


def node_of(frame):
    size, nodes = memory_blocks()
    return nodes.get(frame // size)


def pagemap_words(pid, start, end):
    """The page map of a range, one word a page. [vsyscall] and what lies above it has none: zeros."""
    fd = os.open(f"/proc/{pid}/pagemap", os.O_RDONLY)
    count = (end - start) // PAGE
    try:
        return pread_words(fd, start // PAGE, count) if start < 1 << 63 else (0,) * count
    finally:
        os.close(fd)


def pages(pid, start, end):
    """Every page of the range that has an entry."""
    bare = [Page(start + i * PAGE, word) for i, word in enumerate(pagemap_words(pid, start, end)) if word]
    with Frames() as frames:
        known = frames.look_up(page.frame for page in bare if page.bit(63))
    found = []
    for page in bare:
        if page.bit(63):
            flags, count, cgroup = known[page.frame]
            page = page._replace(flags=flags, count=count, cgroup=cgroup, node=node_of(page.frame))
        found.append(page)
    return found


def raw_words(pid, start, end):
    """What raw/ must hold: a dictionary of its four files, one word a page, 0 where there is none."""
    found = {page.address: page for page in pages(pid, start, end)}
    columns = {"pagemap": [], "kpageflags": [], "kpagecount": [], "kpagecgroup": []}
    for address in range(start, end, PAGE):
        page = found.get(address, Page(address, 0))
        columns["pagemap"].append(page.entry)
        columns["kpageflags"].append(page.flags or 0)
        columns["kpagecount"].append(page.count or 0)
        columns["kpagecgroup"].append(page.cgroup or 0)
    return columns
