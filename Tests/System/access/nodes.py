"""Every kind of file in the tree: how it is asked for, and which files of /proc decide whether this reader gets it."""

from typing import Callable, NamedTuple

from checks import (
    check_blocks,
    check_executable,
    check_frames,
    check_letters,
    check_line,
    check_mappings,
    check_named,
    check_pages,
    check_raw,
    check_self,
    check_size,
    check_summary,
    check_target,
    check_words,
)


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
    *(Kind(f"PID/{name}", "link", ("lstat",), also=("folder",)) for name in LINKS),
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
    Kind("PID/at/", "stat", ("lstat",), also=("folder",)),
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
