"""What /proc has told a reader, and how two answers compare."""

import struct

PRESENT, FRAME = 1 << 63, (1 << 55) - 1
# Present, swapped, or a guard.
THERE = PRESENT | 1 << 62 | 1 << 58
OF_PAGEMAP = {"softdirty", "mmap_exclusive", "uffd_wp", "guard", "file", "?", "-"}
REFUSED = {"EACCES", "EPERM"}

# What is asked of /proc before each look at the mount: a dictionary from the name of the fact to the request. {pid} is the
# process, {task} one of its threads that lives, {file} and {anon} its mappings, {offset},{bytes} where pagemap has {anon}.
FACTS = {
    "lstat": "stat p {pid}",
    "listed": "list p .",
    "folder": "list p {pid}",
    "status": "read p {pid}/status",
    "comm": "read p {pid}/comm",
    "exe": "link p {pid}/exe",
    "maps": "read p {task}/maps",
    "smaps": "0,1024 p {task}/smaps",
    "smaps_rollup": "0,1024 p {task}/smaps_rollup",
    "pagemap": "{offset},{bytes} p {task}/pagemap",
    "map_files": "list p {task}/map_files",
    "object": "stat p {task}/map_files/{file}",
    "access": "access p {pid}",
    "access_object": "access p {task}/map_files/{file}",
    "self": "link p self",
    "own": "read p thread-self/status",
    "kpageflags": "0,8 p kpageflags",
    "kpagecount": "0,8 p kpagecount",
    "kpagecgroup": "0,8 p kpagecgroup",
}


class Facts:
    """What /proc has just told this reader: errno names or bytes."""

    def __init__(self, answers, subject):
        self.answers = answers
        self.subject = subject

    def refusal(self, name):
        answer = self.answers[name]
        return answer if isinstance(answer, str) else None

    def body(self, name):
        answer = self.answers[name]
        return b"" if isinstance(answer, str) else answer

    @property
    def without_memory(self):
        """There is nothing to map: /proc says so to everybody."""
        return self.answers["maps"] == b""

    @property
    def words(self):
        data = self.body("pagemap")
        return struct.unpack(f"={len(data) // 8}Q", data[: len(data) // 8 * 8])

    @property
    def anon(self):
        """Begin and end of the anonymous mapping."""
        return [int(part, 16) for part in self.subject.anon.split("-")]

    @property
    def lines_of_maps(self):
        """Range without leading zeros, rights and name of each mapping."""
        found = []
        for line in self.body("maps").decode().splitlines():
            span, rights, _, _, _, *name = line.split(None, 5)
            found.append(("-".join(part.lstrip("0") for part in span.split("-")), rights, name[0] if name else ""))
        return found

    def agrees(self, told, name, keys=(b"Rss", b"Anonymous", b"Swap", b"Locked")):
        """Whether a report has the values of a file of /proc that changes only when the process does."""
        own = values(self.body(name))
        return self.subject.changes or self.subject.label == "itself" or all(told.get(key) == own.get(key) for key in keys)

    @property
    def frames(self):
        """Whether this reader's own pagemap names frames."""
        return any(word & PRESENT and word & FRAME for word in self.words)

    def sees(self, *names):
        return not any(self.refusal(name) for name in names)

    def map_line(self, mapping):
        return next((line + b"\n" for line in self.body("maps").split(b"\n") if line.startswith(mapping.encode())), b"")


def rows(body):
    return [line.split() for line in body.decode().splitlines()[2:]]


def values(body):
    """A report as a dictionary of bytes."""
    return {key.strip(): value.strip() for key, _, value in (line.partition(b":") for line in body.splitlines())}


def compare(shown, allowed, equal=True):
    """The category of something that is either shown or not."""
    return "MORE" if shown and not allowed else "LESS" if allowed and not shown else None if equal else "OTHER"


def first(*categories):
    found = [category for category in categories if category]
    return min(found, key=["MORE", "LESS", "OTHER"].index, default=None)
