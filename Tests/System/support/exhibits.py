"""The kinds of mappings that the tests look at one by one, what is known of each, and how to get hold of one."""

import contextlib
import os
import re
import shutil

import pytest

from machine import hugetlb_pages, merging
from reading import run, until
from truth import mapping_of, mappings, pages
from truth_mappings import kilobytes, smaps

# One letter a page, as `letters` prints states: what targets/zoo.c did to it. `.` has no page table entry.
STATES = {
    "forked": "PPPP",
    "written": "PPPPPPPP",
    "readfault": "ZZZZZZZZ",
    "untouched": "........",
    "mixed": "PZ.PZ.PZ.PZ.",
    "protnone": "PPPPPPPP",
    "lazyfree": "PPPPPPPP",
    "locked": "PPPPPPPP",
    "private_file": "PPPPPPPP",
    "shared_file": "PPPPPPPP",
    "memfd": "PPPPP...",
    "sysv": "PPPP....",
    "shared_anon": "P.P.P.P.",
    "thp": "P" * 512,
    "thp_partial": "P" * 100 + "." * 16 + "P" * 396,
    "hugezero": "Z" * 512,
    "guard": "PPGGGPP.",
    "uffd_wp": "PPMMM...",
    "poison": "P.MMM...",
    "hugetlb": "P" * 512 + "." * 512,
    "ksm": "P" * 16,
    "secretmem": "PPPP....",
}

# Flags that some pages (by number) must have, and flags they must not have.
FLAGS = {
    "written": (range(8), "mmap anonymous anon_exclusive swapbacked mmap_exclusive", "file ksm thp huge owner_2"),
    "forked": (range(1, 4), "mmap anonymous", "mmap_exclusive anon_exclusive file"),
    "readfault": (range(8), "zero_page reserved", "anonymous file"),
    "lazyfree": (range(2, 6), "anonymous", "swapbacked"),
    "locked": (range(8), "anonymous mlocked", "file"),
    "private_file": ((1, 3), "anonymous", "file"),
    "shared_file": (range(8), "file mmap uptodate", "anonymous anon_exclusive swapbacked"),
    "memfd": (range(5), "file swapbacked", "anonymous"),
    "shared_anon": ((0, 2, 4, 6), "file swapbacked mmap_exclusive", "anonymous"),
    "thp": (range(1, 512), "thp compound_tail anonymous", "compound_head huge"),
    "hugezero": (range(512), "zero_page", "anonymous huge"),
    "guard": (range(2, 5), "guard", "uffd_wp"),
    "uffd_wp": (range(1, 5), "uffd_wp", "guard"),
    "hugetlb": (range(1, 512), "huge compound_tail", "thp"),
    "ksm": (range(16), "ksm mmap", "mmap_exclusive"),
}

# Mappings that every process has.
NATIVE = {"vdso": b"[vdso]", "vvar": b"[vvar]", "stack": b"[stack]", "vsyscall": b"[vsyscall]", "libc": b"libc.so.6"}
KINDS = [*STATES, *NATIVE]

# What a kind needs of the machine.
NEEDS = {"hugetlb": hugetlb_pages, "ksm": merging}


def whole(pid, mapping, key):
    values = smaps(pid)[mapping]
    return kilobytes(values, key) == kilobytes(values, "Size")


@contextlib.contextmanager
def shown(kind, target, **options):
    """A process and its mapping of that kind; skips where this machine cannot make one."""
    with NEEDS.get(kind, contextlib.nullcontext)():
        zoo = target("zoo", **options)
        if kind in NATIVE:
            found = [one for one in mappings(zoo.pid) if one.name.rpartition(b"/")[2] == NATIVE[kind]]
            if not found:
                pytest.skip(f"no mapping {NATIVE[kind]} in this machine's processes")
            yield zoo.pid, found[0]
            return
        place = zoo.facts[kind]
        if place.startswith("none:"):
            pytest.skip(f"this machine cannot make {kind}: {place[5:]}")
        mapping = mapping_of(zoo.pid, int(place.partition("-")[0], 16))
        assert mapping.range == place
        if kind == "ksm":
            until(lambda: whole(zoo.pid, mapping, "KSM"), 30, "merging by ksmd")
        if kind == "hugezero" and not all(page.state == "zero" for page in pages(zoo.pid, mapping.start, mapping.end)):
            pytest.skip("this machine has no huge zero page")
        yield zoo.pid, mapping


def own_libraries(program, folder):
    """Copies the loader and the libraries of a program into a folder; returns the command that starts it with those."""
    os.makedirs(folder, exist_ok=True)
    copies = {}
    for path in re.findall(r"(/\S+) \(0x", run(["ldd", program]).decode()):
        name = os.path.basename(path)
        copies[name] = os.path.join(folder, name)
        if not os.path.exists(copies[name]):
            shutil.copy(path, copies[name])
            os.sync()
    (loader,) = [copy for name, copy in copies.items() if name.startswith("ld")]
    return [loader, "--library-path", folder, program]
