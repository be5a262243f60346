"""What the tree must say about mappings as a whole: smaps, labels, names, layout and files, from /proc itself."""

import os
import pathlib
import re

from formats import FilesRow, LayoutRow
from truth import mappings, parse_mapping

HEADER = re.compile(rb"[0-9a-f]+-[0-9a-f]+ ")
DELETED = b" (deleted)"


def counters(lines):
    """The `Key: value` lines of a block of smaps: a dictionary KEY -> value text."""
    pairs = (line.decode().split(":", 1) for line in lines)
    return {key: value.strip() for key, value in pairs}


def smaps(pid):
    """A dictionary from each mapping, in address order, to its counters."""
    blocks = {}
    for line in pathlib.Path(f"/proc/{pid}/smaps").read_bytes().split(b"\n")[:-1]:
        if HEADER.match(line):
            block = blocks.setdefault(parse_mapping(line), [])
        else:
            block.append(line)
    return {mapping: counters(block) for mapping, block in blocks.items()}


def rollup(pid):
    return counters(pathlib.Path(f"/proc/{pid}/smaps_rollup").read_bytes().split(b"\n")[1:-1])


def kilobytes(values, *keys):
    """The sum of some counters, which must all be in kB."""
    total = 0
    for key in keys:
        number, unit = values[key].split()
        assert unit == "kB"
        total += int(number)
    return total


def uss(values):
    return kilobytes(values, "Private_Clean", "Private_Dirty", "Private_Hugetlb")


def escape(name, blanks=False):
    """Bytes as the tree prints them; BLANKS stay blanks in a last column."""
    out = []
    for char in name.decode("utf-8", "surrogateescape"):
        code = ord(char)
        if 0xDC80 <= code <= 0xDCFF:
            out.append(f"\\x{code - 0xDC00:02x}")
        elif (code < 0x21 and not (blanks and char == " ")) or code == 0x7F or char == "\\":
            out.append(f"\\x{code:02x}")
        else:
            out.append(char)
    return "".join(out)


class Object:
    """The file behind a mapping: its raw name, from the kernel's link, and whether it has a link left."""

    def __init__(self, pid, mapping):
        link = f"/proc/{pid}/map_files/{mapping.range}"
        try:
            rights = os.lstat(link).st_mode
            self.name = os.readlink(link.encode())
        except FileNotFoundError:
            self.mode, self.name, self.deleted = None, mapping.name, False
            return
        self.mode = "".join(letter if rights & bit else "-" for letter, bit in (("r", 0o400), ("w", 0o200))) + "-"
        thing = os.stat(link)
        self.deleted = thing.st_nlink == 0
        # The mark is part of the name only where a living file is called so.
        if self.name.endswith(DELETED) and not self.is_named(f"/proc/{pid}/root".encode() + self.name, thing):
            self.name = self.name.removesuffix(DELETED)

    @staticmethod
    def is_named(path, thing):
        try:
            found = os.lstat(path)
        except OSError:
            return False
        return found.st_nlink > 0 and (found.st_dev, found.st_ino) == (thing.st_dev, thing.st_ino)

    @property
    def exists(self):
        return self.mode is not None


def label_of(name):
    """The last component of a path, or the word in brackets."""
    if name.startswith(b"[") and name.endswith(b"]"):
        return escape(name[1:-1]).replace("/", "\\x2f")
    return escape(name.rpartition(b"/")[2])


def labels(names):
    """A name for each mapping in address order; one that is taken gets the next free number."""
    taken, found = set(), []
    for name in names:
        label = first = label_of(name)
        number = 2
        while label in taken:
            label, number = f"{first}.{number}", number + 1
        if label:
            taken.add(label)
        found.append(label or "-")
    return found


def layout(pid):
    blocks = smaps(pid)
    objects = [Object(pid, mapping) for mapping in blocks]
    rows = []
    for (mapping, values), thing, label in zip(blocks.items(), objects, labels([one.name for one in objects])):
        sizes = [kilobytes(values, key) for key in ("Size", "Rss", "Pss")]
        name = escape(thing.name, blanks=True) or "-"
        sizes += [uss(values), kilobytes(values, "Swap")]
        rows.append(LayoutRow(mapping.range, mapping.perms, *sizes, label, name))
    return rows


def files(pid):
    rows = []
    for mapping in mappings(pid):
        thing = Object(pid, mapping)
        if thing.exists:
            deleted = "yes" if thing.deleted else "no"
            place = (mapping.device, mapping.inode, mapping.offset)
            rows.append(FilesRow(mapping.range, thing.mode, *place, deleted, escape(thing.name, blanks=True)))
    return rows
