"""What stat says, what a handle says, and that both keep to it."""

import errno
import os
import random
import signal
import stat

import pytest

import formats
import truth
from comparing import agree, words
from reading import Reader, names, python, read, run, told
from retries import attempts
from views import RAW, VIEWS

GIB = 1 << 30
PROCESS_VIEWS = ["info", "summary", "layout", "pages", "ranges", "flags", "mapcounts", "strip", "fill", "files"]
SIZE, BLOCKS = 6, -1


@pytest.fixture
def process(target):
    return target("moving")


def mapping_of(tree, process):
    return f"{tree.path}/{process.pid}/vma/{process.facts['range']}"


def size(path):
    return int(run(["stat", "-c", "%s", path]))


def blocks(path):
    return int(run(["stat", "-c", "%b", path]))


@pytest.mark.quick
@pytest.mark.parametrize("path", ["README", "legend", "capabilities", "{pid}/info"])
def test_size_is_exact_at_stat(mount, process, path):
    mine = mount("-o", "max_age=0")
    path = f"{mine.path}/{path.format(pid=process.pid)}"
    assert size(path) == len(read(path)) > 0


@pytest.mark.parametrize("file", RAW)
def test_size_of_raw_is_exact_at_stat(tree, process, file):
    path = f"{mapping_of(tree, process)}/raw/{file}"
    assert size(path) == 16 * 8 == len(read(path))


def test_size_of_letters_is_exact_at_stat_from_a_scan_and_else_from_open_on(tree, process):
    path = f"{mapping_of(tree, process)}/letters"
    if "noscan" not in tree.options[-1]:
        assert size(path) == 17 * formats.WIDTH
    with Reader() as reader:
        handle = reader.open(path)
        assert reader.call("fstat", handle)[SIZE] == 17 * formats.WIDTH == len(reader.rest(handle))


def test_size_of_a_link_is_the_length_of_its_text(tree, process):
    folder = f"{tree.path}/{process.pid}"
    for link in f"{tree.path}/self", f"{folder}/maps", f"{folder}/map_files", *(
        f"{folder}/by-label/{name.decode()}" for name in names(f"{folder}/by-label")
    ):
        told, true = python("result = os.lstat(args[0]).st_size, len(os.readlink(args[0]))", link)
        assert told == true > 0, link


def all_views(tree, process):
    yield f"{tree.path}/status"
    yield from (f"{tree.path}/{process.pid}/{view}" for view in PROCESS_VIEWS)
    yield from (f"{mapping_of(tree, process)}/{view}" for view in VIEWS)


def test_size_is_0_before_open_and_true_from_open_on(mount, process):
    mine = mount("-o", "max_age=0")
    exact = {f"{mine.path}/{process.pid}/info", f"{mapping_of(mine, process)}/letters"}
    with Reader() as reader:
        for path in all_views(mine, process):
            if path not in exact:
                assert size(path) == 0, path
            handle = reader.open(path)
            length = reader.call("fstat", handle)[SIZE]
            assert length == len(reader.rest(handle)) > 0, path
            assert reader.call("stat", path)[SIZE] == length, path


def test_sizes_exact_renders_at_stat(mount, process):
    """One reader looks and reads, since each program that starts or ends changes the flags of the libraries all share."""
    mine = mount("-o", "max_age=5000,sizes=exact")
    with Reader() as reader:
        for path in all_views(mine, process):
            if path.endswith("/status"):
                continue  # Its numbers grow with each look.
            pairs = ((reader.call("stat", path)[SIZE], len(reader.rest(reader.open(path)))) for _ in attempts(5, "size"))
            assert any(told == true > 0 for told, true in pairs), path


@pytest.mark.parametrize("options", ["max_age=0", "max_age=0,sizes=exact"])
def test_stream_has_size_0_and_cannot_seek(mount, target, options):
    dense = target("dense", GIB // 2)
    mine = mount("-o", options)
    path = f"{mapping_of(mine, dense)}/pages"
    assert size(path) == 0
    with Reader() as reader:
        handle = reader.open(path)
        assert reader.call("fstat", handle)[SIZE] == 0
        for whence in os.SEEK_SET, os.SEEK_CUR, os.SEEK_END:
            with pytest.raises(OSError) as failure:
                reader.call("lseek", handle, 0, whence)
            assert failure.value.errno == errno.ESPIPE
        text = reader.rest(handle)
        assert len(formats.pages(text)) == GIB // 2 // 4096
    assert size(path) == 0


@pytest.mark.quick
def test_handle_shows_one_answer_while_the_process_changes(tree, process):
    """Read, gone back, and read again after the mapping shrank and grew: the same text; a new handle shows the new one."""
    with Reader() as reader:
        held = {}
        for path in all_views(tree, process):
            if not path.endswith("/letters"):
                handle = reader.open(path)
                held[handle] = path, reader.rest(handle)
        assert process.tell("shrink") == "ok" and process.tell("grow") == "ok"
        for handle, (path, text) in held.items():
            assert reader.call("lseek", handle, 0, os.SEEK_SET) == 0
            assert reader.rest(handle, 333) == text, path
            assert reader.call("fstat", handle)[SIZE] == len(text), path
            assert reader.call("pread", handle, 50, len(text) // 2) == text[len(text) // 2 :][:50], path
            assert reader.call("pread", handle, 50, len(text)) == b"", path
    assert len(formats.pages(read(f"{mapping_of(tree, process)}/pages"))) == 8


def test_handles_of_different_age_each_read_their_own_text(tree, process):
    path = f"{mapping_of(tree, process)}/pages"
    with Reader() as reader:
        old = reader.open(path)
        assert process.tell("shrink") == "ok" and process.tell("grow") == "ok"
        new = reader.open(path)
        assert len(formats.pages(reader.rest(old))) == 16
        assert len(formats.pages(reader.rest(new))) == 8


def whole(reader, handle):
    return reader.call("pread", handle, 1 << 22, 0)


@pytest.mark.parametrize("file", ["letters", *(f"raw/{name}" for name in RAW)])
@pytest.mark.parametrize("kind", ["guard", "mixed", "thp_partial", "sparse"])
def test_any_offset_and_length_of_a_fixed_file_is_that_slice_of_the_whole(tree, target, file, kind):
    """The process is stopped; each byte is that of the whole before or after, since the kernel flips flags by itself."""
    if kind == "sparse":
        process = target("sparse", 1 << 26, 9)
        mapping = process.facts["range"]
    else:
        process = target("zoo")
        mapping = process.facts[kind]
    if mapping.startswith("none:"):
        pytest.skip(f"this machine cannot make {kind}: {mapping[5:]}")
    process.proc.send_signal(signal.SIGSTOP)
    dice = random.Random(f"{file} {kind}")
    with Reader() as reader:
        handle = reader.open(f"{tree.path}/{process.pid}/vma/{mapping}/{file}")
        before = whole(reader, handle)
        assert len(before) == reader.call("fstat", handle)[SIZE]
        slices = []
        for _ in range(150):
            offset = dice.randrange(len(before) + 20)
            length = dice.choice([1, 7, 8, 95, 4096, dice.randrange(1, 1 << 17)])
            slices.append((offset, length, reader.call("pread", handle, length, offset)))
        after = whole(reader, handle)
    assert len(before) == len(after)
    for offset, length, got in slices:
        old, new = before[offset : offset + length], after[offset : offset + length]
        assert len(got) == len(old), (offset, length)
        assert got in (old, new) or all(byte in pair for byte, *pair in zip(got, old, new)), (offset, length)


# Sparse files.


def extents(path):
    """The data that SEEK_DATA and SEEK_HOLE tell, neighbours joined, and the size."""
    return told("extents.py", path)


@pytest.mark.quick
@pytest.mark.parametrize("file", RAW)
def test_raw_tells_its_extents(tree, target, file):
    process = target("sparse", GIB, 5)
    path = f"{mapping_of(tree, process)}/raw/{file}"
    found, end = extents(path)
    assert end == GIB // 4096 * 8
    touched = [8 * page for page in range(0, GIB // 4096, GIB // 5 // 4096)][:5]
    for offset in touched:
        assert any(begin <= offset and offset + 8 <= stop for begin, stop in found), offset
    assert sum(stop - begin for begin, stop in found) <= 5 * 4096
    assert 0 < blocks(path) * 512 <= 5 * 4096
    with Reader() as reader:
        handle = reader.open(path)
        for past in end, end + 8:
            for whence in os.SEEK_DATA, os.SEEK_HOLE:
                with pytest.raises(OSError) as failure:
                    reader.call("lseek", handle, past, whence)
                assert failure.value.errno == errno.ENXIO


def test_raw_without_any_entry_is_one_hole_and_full_is_one_extent(tree, target):
    zoo = target("zoo")
    empty, full = (f"{tree.path}/{zoo.pid}/vma/{zoo.facts[kind]}/raw/pagemap" for kind in ("untouched", "written"))
    assert extents(empty) == ([], 64) and blocks(empty) == 0 and read(empty) == bytes(64)
    assert extents(full) == ([(0, 64)], 64) and blocks(full) >= 1


@pytest.mark.parametrize("file", RAW)
def test_raw_is_the_kernels_words_with_holes_as_0(tree, target, file):
    process = target("sparse", 1 << 26, 9)
    start, end = (int(part, 16) for part in process.facts["range"].split("-"))
    path = f"{mapping_of(tree, process)}/raw/{file}"
    agree(
        lambda: list(memoryview(read(path)).cast("Q")),
        lambda: truth.raw_words(process.pid, start, end)[file],
        words,
    )


def test_raw_lists_its_four_files_and_is_not_listed(tree, process):
    mapping = mapping_of(tree, process)
    assert b"raw" not in names(mapping)
    assert sorted(names(f"{mapping}/raw")) == sorted(name.encode() for name in RAW)
    assert stat.S_ISDIR(int(run(["stat", "-c", "%f", f"{mapping}/raw"]), 16))
