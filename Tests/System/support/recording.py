"""A folder laid out like /proc, with one process of one mapping, whose pages are made up."""

import os
import pathlib
import re
import struct

from truth import PAGE

PID = 4242
START = 0x10000000


def write_words(path, words):
    """A file of u64, from a dictionary of index to value; the rest is a hole."""
    with open(path, "wb") as file:
        for index, word in words.items():
            file.seek(index * 8)
            file.write(struct.pack("=Q", word))


def emptied(line):
    """A line of smaps with nothing counted; sizes stay as they are."""
    return line if "Size:" in line else re.sub(r"\d+ kB", "0 kB", line)


def record(folder, pages, count):
    """Writes the folder: the mapping begins at START and has COUNT pages, of which PAGES have an entry."""
    process = pathlib.Path(folder) / str(PID)
    process.mkdir()
    line = f"{START:x}-{START + count * PAGE:x} rw-p 00000000 00:00 0 \n"
    own = {name: pathlib.Path(f"/proc/self/{name}").read_text() for name in ("stat", "status", "smaps", "smaps_rollup")}
    (process / "stat").write_text(own["stat"].replace(str(os.getpid()), str(PID), 1))
    (process / "status").write_text(re.sub(r"^(Tgid|Pid|Ngid):.*$", rf"\1:\t{PID}", own["status"], flags=re.M))
    (process / "comm").write_text("recorded\n")
    (process / "maps").write_text(line)
    counters = own["smaps"].split("\n")[1:]
    block = counters[: 1 + next(index for index, text in enumerate(counters) if text.startswith("VmFlags"))]
    block[0] = f"Size:           {count * PAGE // 1024:8} kB"
    (process / "smaps").write_text(line + "\n".join(map(emptied, block)) + "\n")
    rollup = line.replace("rw-p", "---p").rstrip() + " [rollup]\n" + own["smaps_rollup"].partition("\n")[2]
    (process / "smaps_rollup").write_text("\n".join(map(emptied, rollup.split("\n"))))
    (process / "map_files").mkdir()
    (process / "task").mkdir()
    # Whole, as a page map is: it ends where user space ends, not with the last entry.
    write_words(process / "pagemap", {page.address // PAGE: page.entry for page in pages})
    os.truncate(process / "pagemap", 0x7FFFFFFFF000 // PAGE * 8)
    present = [page for page in pages if page.bit(63)]
    write_words(pathlib.Path(folder) / "kpageflags", {page.frame: page.flags for page in present})
    write_words(pathlib.Path(folder) / "kpagecount", {page.frame: page.count for page in present})
    write_words(pathlib.Path(folder) / "kpagecgroup", {page.frame: page.cgroup for page in present})
    return f"{START:x}-{START + count * PAGE:x}"
