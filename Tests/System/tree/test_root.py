"""What stands at the root of the tree, and the names that are looked up but not listed."""

import os
import re
import stat

import pytest

import formats
import truth
from identities import NOBODY
from reading import errno_of, names, python, read, run
from views import numbers

pytestmark = pytest.mark.quick

ROOT = ["README", "capabilities", "legend", "status", "self", "by-name"]


@pytest.fixture
def process(target):
    return target("moving")


def test_root_lists_its_files_and_the_processes(tree, process):
    listed = [name.decode() for name in names(tree.path)]
    assert {name for name in listed if not name.isdigit()} == set(ROOT)
    assert len(listed) == len(set(listed)) and str(process.pid) in listed


def test_README_explains_names_columns_and_look_up_only_names(tree):
    text = read(f"{tree.path}/README").decode()
    for word in [*ROOT, "pages", "ranges", "flags", "mapcounts", "letters", "strip", "fill", "layout", "files", "backing",
                 "map_files", "summary", "at/", "raw", "pages@", "by-label", "mapcount", "cgroup", "node", "namespace"]:
        assert word in text, word
    assert text.isascii() and "\t" not in text
    command = r"\s+(\$ )?(cat|ls|grep|awk|find|head|cp|less|watch|tail|dd|stat|od|for) "
    examples = [line for line in text.splitlines() if re.match(command, line)]
    assert len(examples) >= 10, examples


def test_legend_names_every_state_and_flag(tree):
    text = read(f"{tree.path}/legend").decode()
    for word in [*truth.KERNEL_NAMES.values(), *truth.PAGEMAP_NAMES.values(), "anon_exclusive", "readahead",
                 "present", "zero", "swapped", "guard", "marker", "special", "Rss", "Pss", "Uss", "Private_Clean", "VmFlags"]:
        assert re.search(rf"\b{re.escape(word)}\b", text), word


def test_capabilities_are_yes_or_no_with_a_reason(tree):
    lines = read(f"{tree.path}/capabilities").decode().splitlines()
    for line in lines:
        assert re.fullmatch(r"[^:]+: +(yes|no)( \(.+\))?", line), line
        assert not line.endswith(" no"), f"no reason: {line}"
    assert len(lines) == len({line.split(":")[0] for line in lines}) >= 8
    # What this reader's own page map shows must be what is said of frames.
    frames = [line for line in lines if re.search("frame", line.split(":")[0], re.I)]
    assert frames and all(re.search(": +yes", line) for line in frames)


def test_capabilities_of_a_plain_user_say_that_frames_are_hidden(mount):
    mine = mount(under=NOBODY)
    lines = read(f"{mine.path}/capabilities", NOBODY).decode().splitlines()
    assert any(re.search("frame", line.split(":")[0], re.I) and re.search(r": +no \(", line) for line in lines)


def test_status_counts_requests_hits_and_misses(mount, process):
    mine = mount("-o", "max_age=60000")
    status = f"{mine.path}/status"
    path = f"{mine.path}/{process.pid}/vma/{process.facts['range']}/flags"
    before = numbers(status)
    read(path)
    first = numbers(status)
    assert first["Cache_misses"] > before["Cache_misses"] and first["Cache_bytes"] > 0
    for _ in range(20):
        read(path)
    second = numbers(status)
    assert second["Cache_misses"] == first["Cache_misses"]
    assert second["Cache_hits"] >= first["Cache_hits"] + 20
    assert second["Requests_open"] >= first["Requests_open"] + 20 > before["Requests_open"] + 20
    assert second["VmRSS"] * 1024 < 150 << 20 and second["Uptime"] >= first["Uptime"]


@pytest.mark.parametrize(
    "options, expected",
    [
        ("max_age=0", {"Max_age": 0}),
        ("max_age=1234,threads=1", {"Max_age": 1234, "Threads": 1}),
        ("cache=3", {"Cache_budget": 3 * 1024, "Max_age": 1000}),
        ("cache=0,threads=3", {"Cache_budget": 0, "Threads": 3}),
        ("", {"Max_age": 1000, "Cache_budget": 64 * 1024, "Threads": min(4, len(os.sched_getaffinity(0)))}),
    ],
)
def test_options_that_are_set_show_in_status(mount, options, expected):
    mine = mount(*(["-o", options] if options else []))
    shown = numbers(f"{mine.path}/status")
    assert {key: shown[key] for key in expected} == expected


def test_self_is_the_reader(tree):
    link, pid = python("result = os.readlink(args[0]).decode(), os.getpid()", f"{tree.path}/self")
    assert link == str(pid)
    found = python("result = open(args[0] + b'/self/info').read(), os.getpid()", tree.path)
    assert formats.report(found[0].encode())["Pid"] == str(found[1])


def test_look_up_only_names_are_not_listed(tree, process):
    folder, mapping = f"{tree.path}/{process.pid}", process.facts["range"]
    for name in "at", f"pages@{mapping}", f"ranges@{mapping}", f"flags@{mapping}", f"mapcounts@{mapping}", f"vma/{mapping}/raw":
        assert errno_of("lstat", f"{folder}/{name}") is None, name
    listed = {name.decode() for name in names(folder)}
    assert not {name for name in listed if "@" in name}
    assert not {name for name in names(f"{folder}/vma/{mapping}") if name == b"raw"}
    assert names(f"{folder}/at") == []
    assert b"raw" in read(f"{folder}/vma/{mapping}/info")


@pytest.mark.parametrize("prefix", ["", "0x"])
def test_at_ADDRESS_leads_to_the_mapping_that_holds_it(tree, process, prefix):
    folder, mapping = f"{tree.path}/{process.pid}", process.facts["range"]
    start, end = (int(part, 16) for part in mapping.split("-"))
    for address in start, start + 1, start + 4096 + 17, end - 1:
        assert run(["readlink", "-n", f"{folder}/at/{prefix}{address:x}"]).decode() == f"../vma/{mapping}"
        assert len(formats.pages(read(f"{folder}/at/{prefix}{address:x}/pages"))) == 16
    for gap in start - 1, end, 0, (1 << 63):
        assert errno_of("lstat", f"{folder}/at/{prefix}{gap:x}") == "ENOENT", hex(gap)


def test_at_ADDRESS_that_is_none_is_ENOENT(tree, process):
    folder = f"{tree.path}/{process.pid}"
    start = process.facts["range"].split("-")[0]
    for bad in f"0x0x{start}", f"+{start}", f"{start}h", f"{start} ", "1" + start.zfill(16), "0x", "x", "heap", "-1":
        assert errno_of("lstat", f"{folder}/at/{bad}") == "ENOENT", bad


def test_by_label_has_a_second_and_a_third_of_one_name(tree, target, tmp_path):
    (tmp_path / "twice").write_bytes(b"x" * 100)
    holder = target("names", *[str(tmp_path / "twice").encode().hex()] * 3)
    folder = f"{tree.path}/{holder.pid}/by-label"
    mappings = sorted((holder.facts[f"map{i}"] for i in range(3)), key=lambda text: int(text.split("-")[0], 16))
    labels = ["twice", "twice.2", "twice.3"]
    assert {b"twice", b"twice.2", b"twice.3"} <= set(names(folder))
    assert [run(["readlink", "-n", f"{folder}/{label}"]).decode() for label in labels] == [f"../vma/{one}" for one in mappings]


def test_by_label_skips_a_number_that_a_file_has_for_its_name(tree, target, tmp_path):
    for name in "a", "a.2":
        (tmp_path / name).write_bytes(b"x" * 100)
    words = [str(tmp_path / name).encode().hex() for name in ("a.2", "a", "a")]
    holder = target("names", *words)
    found = [name.decode() for name in names(f"{tree.path}/{holder.pid}/by-label") if name.startswith(b"a")]
    assert len(found) == 3 and {"a", "a.2"} < set(found)
    rows = [row for row in formats.layout(read(f"{tree.path}/{holder.pid}/layout")) if row.name.startswith(str(tmp_path))]
    assert sorted(row.label for row in rows) == sorted(found)


def test_by_label_names_heap_stack_vdso_and_libraries(tree, process):
    folder = f"{tree.path}/{process.pid}"
    listed = set(names(f"{folder}/by-label"))
    assert {b"stack", b"vdso", b"libc.so.6", b"libc.so.6.2", b"moving"} <= listed
    for one in truth.mappings(process.pid):
        if one.name == b"[stack]":
            assert run(["readlink", "-n", f"{folder}/by-label/stack"]).decode() == f"../vma/{one.range}"


def test_kinds_and_owners_of_nodes(tree, process, target):
    """Read-only for everybody who has a right at all; the owner is that of the process."""
    owned = target("moving", under=NOBODY, cwd="/")
    for pid, owner in (process.pid, 0), (owned.pid, 65534):
        mode, uid = python("status = os.lstat(args[0])\nresult = status.st_mode, status.st_uid", f"{tree.path}/{pid}")
        assert stat.S_ISDIR(mode) and uid == owner
        mode, uid = python("status = os.lstat(args[0])\nresult = status.st_mode, status.st_uid", f"{tree.path}/{pid}/pages")
        assert stat.S_ISREG(mode) and not mode & 0o222 and uid == owner
