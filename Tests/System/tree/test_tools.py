"""The common tools over the live tree and over `letters`: what they take away is what is there."""

import os

import pytest

import formats
import truth
from reading import names, process_status, read, run
from views import GIST, archive, body, check_copy, same

GIB = 1 << 30


@pytest.fixture
def process(target):
    return target("moving")


@pytest.fixture
def mapping(tree, process):
    """The folder of a mapping of 16 touched pages."""
    return f"{tree.path}/{process.pid}/vma/{process.facts['range']}"


@pytest.fixture
def stream(tree, target):
    """A table longer than 8 MiB: it streams."""
    dense = target("dense", GIB // 2)
    return f"{tree.path}/{dense.pid}/vma/{dense.facts['range']}/pages"


@pytest.mark.quick
def test_cp_r_of_a_mapping(tree, mapping, tmp_path):
    run(["cp", "-r", mapping, str(tmp_path / "copy")])
    check_copy(mapping, tmp_path / "copy")
    assert sorted(os.listdir(tmp_path / "copy")) == sorted(name.decode() for name in names(mapping))


def test_cp_r_of_a_process(tree, process, tmp_path):
    folder = f"{tree.path}/{process.pid}"
    run(["cp", "-r", folder, str(tmp_path / "copy")])
    mappings = [one.range for one in truth.mappings(process.pid)]
    assert sorted(os.listdir(tmp_path / "copy/vma")) == sorted(mappings)
    for name in mappings:
        assert (tmp_path / "copy/vma" / name / "maps").read_bytes() == read(f"{folder}/vma/{name}/maps")
    assert os.readlink(tmp_path / "copy/map_files") == f"/proc/{process.pid}/map_files"


@pytest.mark.parametrize("tool", ["rsync", "tar", "tar -S"])
def test_archive_of_a_live_mapping_with_sizes_exact(mount, process, tool, tmp_path):
    mine = mount("-o", "max_age=0,sizes=exact")
    folder = f"{mine.path}/{process.pid}/vma/{process.facts['range']}"
    archive(tool, folder, ".", tmp_path)
    check_copy(folder, tmp_path)


def test_rsync_of_a_live_mapping(tree, mapping, tmp_path):
    """rsync asks for the size after it has opened."""
    archive("rsync", mapping, ".", tmp_path)
    check_copy(mapping, tmp_path)


def test_tar_of_letters_needs_no_option(mount, process, tmp_path):
    """Its size is exact from the first stat on, where the kernel has the scan."""
    mine = mount("-o", "max_age=0")
    folder = f"{mine.path}/{process.pid}/vma/{process.facts['range']}"
    archive("tar", folder, "letters", tmp_path)
    assert GIST["letters"]((tmp_path / "letters").read_bytes()) == GIST["letters"](read(f"{folder}/letters"))


def test_tools_over_letters(tree, mapping):
    path, width = f"{mapping}/letters", formats.WIDTH
    same(path, lambda: run(["dd", f"if={path}", f"bs={width}", "skip=7", "count=2", "status=none"]),
         lambda data: data[7 * width : 9 * width])
    same(path, lambda: run(["tail", "-n", "3", path]), lambda data: data[-3 * width :])
    same(path, lambda: run(["sed", "-n", "5p", path]), lambda data: data[4 * width : 5 * width])
    assert run(["wc", "-lc", path]).split()[:2] == [b"17", b"%d" % (17 * width)]
    assert run(["grep", "-c", "^[0-9a-f]* *P ", path]) == b"16\n"
    assert run(["awk", "NR > 1 { print $2 }", path]) == 16 * b"P\n"


@pytest.mark.parametrize("view", ["pages", "ranges", "flags", "mapcounts"])
def test_readers_of_a_table(tree, mapping, view):
    path = f"{mapping}/{view}"
    for reader in ["cat"], ["less"], ["head", "-n", "99"], ["tail", "-n", "+1"], ["awk", "{ print }"], ["grep", "-a", ""]:
        same(path, lambda: body(run([*reader, path], env={**os.environ, "TERM": "dumb"})), body)
    same(path, lambda: run(["tail", "-n", "1", path]), lambda data: data.splitlines(keepends=True)[-1])
    same(path, lambda: run(["dd", f"if={path}", "bs=16", "skip=12", "status=none"]), lambda data: data[192:])
    assert int(run(["wc", "-l", path]).split()[0]) == read(path).count(b"\n")


@pytest.mark.timeout(240)
def test_readers_of_a_stream(stream):
    lines = body(read(stream)).splitlines()[1:]
    addresses = [line.split()[0] for line in lines]
    assert len(lines) == GIB // 2 // 4096
    assert [line.split()[0] for line in run(["tail", "-n", "5", stream]).splitlines()] == addresses[-5:]
    assert [line.split()[0] for line in run(["less", stream], env={**os.environ, "TERM": "dumb"}).splitlines()[2:]] == addresses
    assert run(["awk", "NR > 2 { n++ } END { print n }", stream]) == b"%d\n" % len(lines)
    assert int(run(["wc", "-l", stream]).split()[0]) == len(lines) + 2
    assert run(["grep", "-c", " present ", stream]) == b"%d\n" % len(lines)
    assert run(["grep", "-m", "1", "-o", addresses[70000].decode(), stream]).strip() == addresses[70000]
    skipped = run(["dd", f"if={stream}", "bs=64K", "skip=40", "count=1", "iflag=fullblock", "status=none"])
    inside = [line.split()[0] for line in skipped.splitlines()[1:-1]]
    begin = addresses.index(inside[0])
    assert inside == addresses[begin : begin + len(inside)]


@pytest.mark.parametrize("copy", [["cp"], ["cp", "--sparse=always"], ["install", "-m", "600"]], ids=" ".join)
def test_copy_of_a_stream(stream, copy, tmp_path):
    run([*copy, stream, str(tmp_path / "copy")], timeout=60)
    assert len(formats.pages((tmp_path / "copy").read_bytes())) == GIB // 2 // 4096


@pytest.mark.quick
def test_grep_r_finds_what_is_in_the_tree(tree, process, mapping):
    found = run(["grep", "-r", "-l", "anon_exclusive", mapping]).split()
    assert sorted(found) == [f"{mapping}/{view}".encode() for view in ("flags", "pages", "ranges")]
    counts = dict(line.rsplit(b":", 1) for line in run(["grep", "-r", "-c", "present", mapping]).splitlines())
    assert counts[f"{mapping}/pages".encode()] == b"16"
    begin = process.facts["range"].split("-")[0]
    found = run(["grep", "-r", "-l", f"^{begin} ", f"{tree.path}/{process.pid}"]).split()
    assert {f"{mapping}/pages".encode(), f"{tree.path}/{process.pid}/pages".encode()} <= set(found)


def test_find_walks_the_tree_once(tree, process):
    folder = f"{tree.path}/{process.pid}"
    count = len(truth.mappings(process.pid))
    assert len(run(["find", folder, "-name", "pages", "-type", "f"]).splitlines()) == count + 1
    assert len(run(["find", f"{folder}/vma", "-mindepth", "1", "-type", "d"]).splitlines()) == count
    assert not run(["find", folder, "-name", "raw"]) and not run(["find", folder, "-path", "*/at/*"])
    links = dict(line.split(b" ") for line in run(["find", folder, "-maxdepth", "1", "-type", "l", "-printf", r"%f %l\n"]).splitlines())
    assert links == {name.encode(): f"/proc/{process.pid}/{name}".encode()
                     for name in ("maps", "smaps", "smaps_rollup", "pagemap", "map_files")}


def test_awk_lines_written_for_smaps_work_on_reports(tree, process, mapping):
    total = ["awk", "/^Rss:/ { kB += $2 } END { print kB }"]
    kernel = run([*total, f"/proc/{process.pid}/smaps_rollup"])
    assert run([*total, f"{tree.path}/{process.pid}/summary"]) == kernel
    assert run([*total, f"{mapping}/summary"]) == b"64\n"
    assert run(["sh", "-c", 'awk "/^Rss:/ { kB += \\$2 } END { print kB }" "$0"/vma/*/summary', f"{tree.path}/{process.pid}"]) == kernel
    assert int(process_status(process.pid, "VmRSS")) >= 64
