"""The common tools over `raw/`, whose files are sparse."""

import hashlib
import os
import struct

import pytest

from reading import outcome, read, run
from views import RAW, archive, same

GIB = 1 << 30


@pytest.fixture
def sparse(tree, target):
    """The folder of a mapping of 262,144 pages of which five, far from each other, are touched."""
    process = target("sparse", GIB, 5)
    return f"{tree.path}/{process.pid}/vma/{process.facts['range']}"


@pytest.mark.parametrize("tool", ["rsync", "tar", "tar -S", "cp -r"])
@pytest.mark.parametrize("file", RAW)
def test_archive_of_raw(tree, sparse, tool, file, tmp_path):
    def copied():
        if tool == "cp -r":
            run(["cp", "-r", f"{sparse}/raw", str(tmp_path)])
        else:
            archive(tool, sparse, f"raw/{file}", tmp_path)
        return (tmp_path / "raw" / file).read_bytes()

    same(f"{sparse}/raw/{file}", copied)


@pytest.mark.parametrize("how", ["auto", "always", "never"])
def test_cp_sparse_of_raw(tree, sparse, how, tmp_path):
    path, copy = f"{sparse}/raw/pagemap", tmp_path / "copy"

    def copied():
        run(["cp", f"--sparse={how}", path, str(copy)])
        return copy.read_bytes()

    same(path, copied)
    if how == "always":
        assert copy.stat().st_blocks * 512 <= 5 * 4096 < copy.stat().st_size


def test_cmp_and_md5sum_of_raw(tree, sparse, tmp_path):
    path = f"{sparse}/raw/pagemap"
    same(path, lambda: (tmp_path / "copy").write_bytes(read(path)) and run(["cat", str(tmp_path / "copy")]))
    assert outcome(["cmp", path, str(tmp_path / "copy")]).returncode == 0
    assert run(["md5sum", path]).split()[0].decode() == hashlib.md5((tmp_path / "copy").read_bytes()).hexdigest()
    with open(tmp_path / "copy", "r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"\xff")
    assert outcome(["cmp", path, str(tmp_path / "copy")]).returncode == 1


def test_dd_skip_tail_head_and_od_of_raw(tree, sparse):
    path = f"{sparse}/raw/pagemap"
    middle = 262144 // 5 * 3
    whole = read(path)
    assert struct.unpack_from("=Q", whole, 8 * middle)[0] >> 63 == 1
    for first in 0, middle - 1, middle, 262143:
        same(path, lambda: run(["dd", f"if={path}", "bs=8", f"skip={first}", "count=1", "status=none"]),
             lambda data: data[8 * first : 8 * first + 8])
    same(path, lambda: run(["tail", "-c", "24", path]), lambda data: data[-24:])
    same(path, lambda: run(["head", "-c", "24", path]), lambda data: data[:24])
    words = run(["od", "-A", "n", "-t", "x8", "-v", "-w8", "-j", str(8 * middle), "-N", "8", path])
    assert int(words, 16) == struct.unpack_from("=Q", whole, 8 * middle)[0]
    assert run(["wc", "-c", path]).split()[0] == b"%d" % (8 * 262144)


def test_du_of_raw(tree, sparse):
    path = f"{sparse}/raw/pagemap"
    assert int(run(["du", "-B1", "--apparent-size", path]).split()[0]) == 8 * 262144
    assert 0 < int(run(["du", "-B1", path]).split()[0]) <= 5 * 4096
