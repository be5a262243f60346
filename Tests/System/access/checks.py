"""What /proc has told a reader, and whether a text of the mount says more than that."""

import struct

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
    """COLUMNS are those of frame, mapcount, cgroup, node and flags. Of a WHOLE process only what is too much counts."""

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
