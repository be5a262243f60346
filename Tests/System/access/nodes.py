"""Every kind of file in the tree: how it is asked for, and which files of /proc decide whether this reader gets it."""

import struct
from typing import Callable, NamedTuple

PRESENT, FRAME = 1 << 63, (1 << 55) - 1
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
    def frames(self):
        """Whether this reader's own pagemap names frames."""
        return any(word & PRESENT and word & FRAME for word in self.words)

    def sees(self, *names):
        return not any(self.refusal(name) for name in names)

    def map_line(self, mapping):
        return next((line + b"\n" for line in self.body("maps").split(b"\n") if line.startswith(mapping.encode())), b"")


def rows(body):
    return [line.split() for line in body.decode().splitlines()[2:]]


def compare(shown, allowed, equal=True):
    """The category of something that is either shown or not."""
    return "MORE" if shown and not allowed else "LESS" if allowed and not shown else None if equal else "OTHER"


def first(*categories):
    found = [category for category in categories if category]
    return min(found, key=["MORE", "LESS", "OTHER"].index, default=None)


def check_frames(columns, whole=False):
    """The columns of a table of pages: frame, mapcount, cgroup, node, flags. Of a WHOLE process only what is too much counts."""

    def check(facts, body):
        frames = facts.frames
        rights = [frames, *(frames and facts.sees(name) for name in ("kpagecount", "kpagecgroup")), frames]
        found = []
        for row in rows(body):
            if "present" not in row:
                continue
            values = [row[column] for column in columns]
            for value, right in zip(values, rights):
                if value != "-":
                    found.append(compare(value != "?", right))
            names = set(values[4].split(",")) - OF_PAGEMAP
            found.append(compare(bool(names), frames and facts.sees("kpageflags")))
        return first(*(category for category in found if category == "MORE" or not whole))

    return check


def check_pages(facts, body):
    """Besides the rights, the frames are those that this reader's pagemap names."""
    start = int(facts.subject.anon.partition("-")[0], 16)
    shown = {int(row[0], 16): row[2] for row in rows(body) if row[1] == "present"}
    equal = True
    for number, word in enumerate(facts.words):
        frame = shown.get(start + number * 4096)
        equal &= frame is None or frame == "?" or int(frame, 16) == word & FRAME
    return first(check_frames((2, 3, 4, 5, 6))(facts, body), None if equal else "OTHER")


def check_words(facts, body):
    """Words of kpageflags in the table of flags."""
    words = [row[2] for row in rows(body) if row[2] != "-"]
    right = facts.frames and facts.sees("kpageflags")
    return first(*(compare(word != "?", right) for word in words))


def check_letters(facts, body):
    lines = [line.split() for line in body.decode().splitlines()[1:]]
    present = [line for line in lines if line[1] == "P"]
    return first(*(compare("?" not in line[2], facts.frames) for line in present))


def check_raw(facts, body):
    own = facts.body("pagemap")
    shown = struct.unpack(f"={len(own) // 8}Q", body[: len(own)])
    more = any(word & FRAME & ~own_word for word, own_word in zip(shown, facts.words) if word & PRESENT)
    return "MORE" if more else None if body.startswith(own) else "OTHER"


def check_summary(facts, body):
    entries = next((line.split()[1] for line in body.splitlines() if line.startswith(b"Entries:")), None)
    if entries is None:  # Of a process without memory.
        return None if facts.without_memory else "OTHER"
    return compare(entries != b"?", facts.sees("pagemap"))


def check_executable(facts, body):
    value = next(line.split(None, 1)[1] for line in body.splitlines() if line.startswith(b"Executable:"))
    if facts.refusal("exe") in REFUSED:
        return compare(value != b"?", False)
    return compare(value != b"?", True, value == (facts.body("exe") or b"-"))


def check_line(facts, body):
    """A line that /proc does not show like this says more than it does."""
    return None if body == facts.map_line(facts.subject.file) else "MORE"


def check_named(facts, body):
    """The name in a report is that in this reader's maps."""
    name = next(line.split(None, 1)[1] for line in body.splitlines() if line.startswith(b"Name:"))
    return None if facts.map_line(facts.subject.file).split(None, 5)[5].rstrip(b"\n") == name else "MORE"


def check_mappings(facts, body):
    own = [line.split()[0] for line in facts.body("maps").splitlines()]
    listed = body.split()
    if facts.subject.changes:
        own, listed = ([name for name in names if name == facts.subject.file.encode()] for names in (own, listed))
    return "MORE" if set(listed) - set(own) else None if listed == own else "LESS"


def check_target(facts, body):
    return None if facts.subject.anon.encode() in body else "OTHER"


def check_self(facts, body):
    return None if body == facts.body("self") else "MORE"


def check_size(facts, body):
    """The size of `letters` does not count pages for whom pagemap is refused."""
    return "MORE" if facts.refusal("pagemap") and int(body.split()[0]) > 128 else None


def check_blocks(facts, body):
    """Nor do the blocks of a raw array: it seems to have none, or no holes."""
    size, blocks = map(int, body.split())
    return "MORE" if facts.refusal("pagemap") and 0 < blocks * 512 < size else None


class Kind(NamedTuple):
    # Spelled as in the tree's README.
    path: str
    # As reader.c has it; `listed` is whether the folder that the path is in names it.
    operation: str
    # Facts that must all be readable.
    needs: tuple
    # The category of a text that is shown and may be.
    check: Callable = lambda facts, body: None
    # What counts as nothing: `table`, only a header; `names`, an empty list.
    form: str = "text"
    # More facts whose refusal is as good an answer.
    also: tuple = ()
    # Other errnos for a refusal.
    errnos: frozenset = frozenset()
    # The mapping that is meant.
    mapping: str = "anon"

    @property
    def name(self):
        return f"{self.operation} {self.path}"

    @property
    def of_all(self):
        """Processes without memory have it too."""
        return not any(word in self.path for word in ("RANGE", "ADDRESS", "LABEL"))

    @property
    def request(self):
        path, operation = self.path.rstrip("/"), self.operation
        if operation == "listed":
            path, operation = path.rpartition("/")[0] or ".", "list"
        words = {"PID": "pid", "RANGE": self.mapping, "START-END": "anon", "NAME": "name", "ADDRESS": "address", "LABEL": "label"}
        for pattern, word in words.items():
            path = path.replace(pattern, f"{{{word}}}")
        return f"{operation} m {path}"


PAGES, RANGES = (2, 3, 4, 5, 6), (4, 5, 6, 7, 8)
LINKS = ["maps", "smaps", "smaps_rollup", "pagemap", "map_files"]
ABSENT = frozenset({"ENOENT"})
MAPS, PAGEMAP = ("maps",), ("maps", "pagemap")
FRAMES = (*PAGEMAP, "frames")
VMA = "PID/vma/RANGE"

KINDS = [
    Kind("PID", "stat", ("lstat",)),
    Kind("PID", "listed", ("listed",)),
    Kind("PID/", "list", ("folder",)),
    Kind("by-name/NAME/PID", "stat", ("comm",), errnos=ABSENT),
    Kind("by-name/NAME/PID", "listed", ("comm",), errnos=ABSENT),
    *(Kind(f"PID/{name}", "link", ("lstat",)) for name in LINKS),
    Kind("PID/info", "read", ("status",), check_executable),
    Kind("PID/summary", "read", ("smaps_rollup",), check_summary),
    Kind("PID/layout", "read", ("maps", "smaps"), form="table"),
    Kind("PID/files", "read", ("map_files",), form="table"),
    Kind("PID/pages", "read", PAGEMAP, check_frames(PAGES, whole=True), "table"),
    Kind("PID/ranges", "read", PAGEMAP, check_frames(RANGES, whole=True), "table"),
    Kind("PID/flags", "read", PAGEMAP, check_words, "table"),
    Kind("PID/strip", "read", PAGEMAP, form="table"),
    Kind("PID/pages@START-END", "read", PAGEMAP, check_pages, "table"),
    Kind("PID/ranges@START-END", "read", PAGEMAP, check_frames(RANGES), "table"),
    Kind("PID/flags@START-END", "read", PAGEMAP, check_words, "table"),
    Kind("PID/vma/", "list", MAPS, check_mappings, "names"),
    Kind("PID/vma/RANGE/", "stat", MAPS, mapping="file"),
    Kind("PID/vma/RANGE/", "list", MAPS, mapping="file"),
    Kind(f"{VMA}/info", "read", ("maps", "smaps"), check_named, mapping="file"),
    Kind(f"{VMA}/summary", "read", ("smaps",), check_summary),
    Kind(f"{VMA}/maps", "read", MAPS, check_line, mapping="file"),
    Kind(f"{VMA}/smaps", "read", ("smaps",), mapping="file"),
    Kind(f"{VMA}/pages", "read", PAGEMAP, check_pages, "table"),
    Kind(f"{VMA}/ranges", "read", PAGEMAP, check_frames(RANGES), "table"),
    Kind(f"{VMA}/flags", "read", PAGEMAP, check_words, "table"),
    Kind(f"{VMA}/letters", "read", PAGEMAP, check_letters),
    Kind(f"{VMA}/letters", "stat", MAPS, check_size, also=("pagemap",)),
    Kind(f"{VMA}/strip", "read", PAGEMAP),
    Kind(f"{VMA}/backing", "link", ("object",), mapping="file"),
    Kind(f"{VMA}/backing", "stat", ("object",), mapping="file"),
    Kind(f"{VMA}/raw/", "list", MAPS),
    Kind(f"{VMA}/raw/pagemap", "read", PAGEMAP, check_raw),
    Kind(f"{VMA}/raw/pagemap", "stat", MAPS, check_blocks, also=("pagemap",)),
    *(Kind(f"{VMA}/raw/{name}", "read", (*FRAMES, name)) for name in ("kpageflags", "kpagecount", "kpagecgroup")),
    Kind("PID/at/", "stat", ("lstat",)),
    Kind("PID/at/ADDRESS", "link", MAPS, check_target),
    Kind("PID/by-label/", "list", MAPS, form="names"),
    Kind("PID/by-label/LABEL", "stat", MAPS),
]

# With the real ids, for readers who have others.
ACCESS = [
    Kind("PID", "access", ("access",), also=("refused access",)),
    Kind("PID/vma/RANGE/", "access", ("access_object",), mapping="file"),
]

# Of no process. What the daemon says of itself in `status` has nothing in /proc to compare with.
OF_THE_TREE = [
    Kind("README", "read", ()),
    Kind("legend", "read", ()),
    Kind("capabilities", "read", ()),
    Kind("self", "link", ("self",), check_self),
    Kind("by-name/", "list", ()),
]
