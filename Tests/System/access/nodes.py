"""Every kind of file in the tree: how it is asked for, and which files of /proc decide whether this reader gets it."""

from collections.abc import Callable
from typing import NamedTuple

from checks import (
    begins,
    check_capabilities,
    check_executable,
    check_files,
    check_labels,
    check_layout,
    check_line,
    check_link,
    check_link_size,
    check_mapping_summary,
    check_mappings,
    check_named,
    check_names,
    check_self,
    check_smaps,
    check_summary,
    check_target,
    exactly,
)
from checks_pages import (
    check_blocks,
    check_count,
    check_fill,
    check_frames,
    check_kernel_words,
    check_letters,
    check_map_counts,
    check_mapped,
    check_pages,
    check_ranges,
    check_raw,
    check_size,
    check_strip,
    check_whole_fill,
    check_whole_strip,
    check_words,
    of_process,
)


class Kind(NamedTuple):
    # Spelled as in the tree's README.
    path: str
    # As reader.c has it; `listed` is whether the folder that the path is in names it.
    operation: str
    # Facts that must all be readable.
    needs: tuple
    # The category of a text that is shown and may be.
    check: Callable
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

FOLDER = exactly("0 0")
TABLE_OF_PAGES = of_process(check_frames(PAGES), check_pages)
TABLE_OF_RANGES = of_process(check_frames(RANGES), check_ranges)
IN_A_PROCESS = (
    "info summary layout pages ranges flags mapcounts strip fill files"
    " maps smaps smaps_rollup pagemap map_files vma at by-label"
).split()
IN_A_MAPPING = "info summary pages ranges flags mapcounts letters strip fill backing maps smaps".split()
ARRAYS = "pagemap kpageflags kpagecount kpagecgroup".split()


def names(listed):
    return exactly("".join(f"{name}\n" for name in listed))


KINDS = [
    Kind("PID", "stat", ("lstat",), FOLDER),
    Kind("PID", "listed", ("listed",), exactly("listed")),
    Kind("PID/", "list", ("folder",), names(IN_A_PROCESS)),
    Kind("by-name/NAME/PID", "stat", ("comm",), check_link_size("../../{pid}"), errnos=ABSENT),
    Kind("by-name/NAME/PID", "listed", ("comm",), exactly("listed"), errnos=ABSENT),
    *(Kind(f"PID/{name}", "link", ("lstat",), check_link(name), also=("folder",)) for name in LINKS),
    Kind("PID/info", "read", ("status",), check_executable),
    Kind("PID/summary", "read", ("smaps_rollup",), check_summary),
    Kind("PID/layout", "read", ("maps", "smaps"), of_process(check_layout), "table"),
    Kind("PID/files", "read", ("map_files",), of_process(check_files), "table"),
    Kind("PID/pages", "read", PAGEMAP, of_process(check_frames(PAGES, whole=True)), "table"),
    Kind("PID/ranges", "read", PAGEMAP, of_process(check_frames(RANGES, whole=True)), "table"),
    Kind("PID/flags", "read", PAGEMAP, of_process(check_words), "table"),
    Kind("PID/mapcounts", "read", PAGEMAP, of_process(check_map_counts), "table"),
    Kind("PID/strip", "read", PAGEMAP, of_process(check_whole_strip), "table"),
    Kind("PID/fill", "read", PAGEMAP, of_process(check_whole_fill), "table"),
    Kind("PID/pages@START-END", "read", PAGEMAP, TABLE_OF_PAGES, "table"),
    Kind("PID/ranges@START-END", "read", PAGEMAP, TABLE_OF_RANGES, "table"),
    Kind("PID/flags@START-END", "read", PAGEMAP, of_process(check_words, check_count), "table"),
    Kind("PID/mapcounts@START-END", "read", PAGEMAP, of_process(check_map_counts, check_mapped), "table"),
    Kind("PID/vma/", "list", MAPS, check_mappings, "names"),
    Kind("PID/vma/RANGE/", "stat", MAPS, FOLDER, mapping="file"),
    Kind("PID/vma/RANGE/", "list", MAPS, names(IN_A_MAPPING), mapping="file"),
    Kind(f"{VMA}/info", "read", ("maps", "smaps"), check_named, mapping="file"),
    Kind(f"{VMA}/summary", "read", ("smaps",), check_mapping_summary),
    Kind(f"{VMA}/maps", "read", MAPS, check_line, mapping="file"),
    Kind(f"{VMA}/smaps", "read", ("smaps",), check_smaps, mapping="file"),
    Kind(f"{VMA}/pages", "read", PAGEMAP, TABLE_OF_PAGES, "table"),
    Kind(f"{VMA}/ranges", "read", PAGEMAP, TABLE_OF_RANGES, "table"),
    Kind(f"{VMA}/flags", "read", PAGEMAP, of_process(check_words, check_count), "table"),
    Kind(f"{VMA}/mapcounts", "read", PAGEMAP, of_process(check_map_counts, check_mapped), "table"),
    Kind(f"{VMA}/letters", "read", PAGEMAP, of_process(check_letters)),
    Kind(f"{VMA}/letters", "stat", MAPS, check_size, also=("pagemap",)),
    Kind(f"{VMA}/strip", "read", PAGEMAP, of_process(check_strip)),
    Kind(f"{VMA}/fill", "read", PAGEMAP, of_process(check_fill)),
    Kind(f"{VMA}/backing", "link", ("object",), check_link("map_files/RANGE"), mapping="file"),
    Kind(f"{VMA}/backing", "stat", ("object",), check_link_size("/{pid}/map_files/{file}"), mapping="file"),
    Kind(f"{VMA}/raw/", "list", MAPS, names(ARRAYS)),
    Kind(f"{VMA}/raw/pagemap", "read", PAGEMAP, check_raw),
    Kind(f"{VMA}/raw/pagemap", "stat", MAPS, check_blocks, also=("pagemap",)),
    *(Kind(f"{VMA}/raw/{name}", "read", (*FRAMES, name), check_kernel_words) for name in ARRAYS[1:]),
    Kind("PID/at/", "stat", ("lstat",), FOLDER, also=("folder",)),
    Kind("PID/at/ADDRESS", "link", MAPS, check_target),
    Kind("PID/by-label/", "list", MAPS, check_labels, "names"),
    Kind("PID/by-label/LABEL", "stat", MAPS, check_link_size("../vma/{file}")),
]

# With the real ids, for readers who have others.
ACCESS = [
    Kind("PID", "access", ("access",), exactly(""), also=("refused access",)),
    Kind("PID/vma/RANGE/", "access", ("access_object",), exactly(""), mapping="file"),
]

# Of no process. What the daemon says of itself in `status` has nothing in /proc to compare with.
OF_THE_TREE = [
    Kind("README", "read", (), begins(b"The memory of every process, page by page, as text.")),
    Kind("legend", "read", (), begins(b"States of a page: ")),
    Kind("capabilities", "read", (), check_capabilities),
    Kind("self", "link", ("self",), check_self),
    Kind("by-name/", "list", (), check_names),
]
