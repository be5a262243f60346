"""`backing` and `map_files`: the mapped object itself, whatever became of its name."""

import os
import shutil
import subprocess

import pytest

import formats
from identities import NOBODY
from reading import errno_of, names, outcome, read, run, told

pytestmark = pytest.mark.quick

SIZE = 3 * 4096
CONTENT = bytes(range(1, 251)) * 49 + b"end"  # 12,253 bytes: three pages, the last not full.


def folder(tree, pid, mapping):
    return f"{tree.path}/{pid}/vma/{mapping}"


def object_of(path):
    """Device and inode of what a link leads to."""
    return run(["stat", "-L", "-c", "%d:%i", path])


@pytest.fixture
def content(tmp_path):
    path = tmp_path / "object"
    path.write_bytes(CONTENT)
    return path


def test_a_deleted_running_binary_is_recovered_by_a_shell_loop(tree, spawn, tmp_path):
    binary, rescued = tmp_path / "doomed", tmp_path / "rescued"
    shutil.copy("/usr/bin/cat", binary)
    rescued.mkdir()
    original = binary.read_bytes()
    process = spawn([str(binary)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    process.stdin.write(b"loaded")
    process.stdin.flush()
    assert os.read(process.stdout.fileno(), 6) == b"loaded"
    binary.unlink()
    run(["sh", "-c", 'for f in "$0"/map_files/*; do cp "$f" "$1"/; done', f"{tree.path}/{process.pid}", str(rescued)])
    table = formats.files(read(f"{tree.path}/{process.pid}/files"))
    mine = [row for row in table if row.path == str(binary)]
    assert mine and all(row.deleted == "yes" for row in mine), table
    for row in mine:
        assert (rescued / row.range).read_bytes() == original
    assert sorted(os.listdir(rescued)) == sorted(row.range for row in table)


def test_map_files_is_the_kernels_own_directory(tree, target, content):
    holder = target("holder", "file", content)
    link = f"{tree.path}/{holder.pid}/map_files"
    assert run(["readlink", "-n", link]) == b"/proc/%d/map_files" % holder.pid
    assert names(link + "/") == names(f"/proc/{holder.pid}/map_files")


def test_shared_anonymous_memory_is_found_by_comparing_inodes_of_backing(tree, target):
    first, stranger = (target("holder", "shared", SIZE) for _ in range(2))
    second = int(first.tell("fork").removeprefix("child="))
    area = first.facts["range"]

    def objects(pid):
        return set(run(["sh", "-c", 'stat -L -c %d:%i "$0"/vma/*/backing', f"{tree.path}/{pid}"]).split())

    mine = object_of(folder(tree, first.pid, area) + "/backing").strip()
    assert mine == object_of(folder(tree, second, area) + "/backing").strip()
    assert mine in objects(first.pid) & objects(second)
    assert mine not in objects(stranger.pid)
    # The same number is in `files`, for those who may not follow the link.
    inode = int(mine.split(b":")[1])
    for pid in first.pid, second:
        assert [row.range for row in formats.files(read(f"{tree.path}/{pid}/files")) if row.inode == inode] == [area]


@pytest.mark.parametrize("kind", [["shared", str(SIZE)], ["memfd", "a name", str(SIZE)]], ids=["shared anonymous", "memfd"])
def test_another_process_maps_a_shared_area_through_its_link(tree, target, kind):
    holder = target("holder", *kind)
    holder.tell("write from the holder")
    seen = told("write_shared.py", folder(tree, holder.pid, holder.facts["range"]) + "/backing")
    assert seen == [SIZE, "from the holder"]
    assert holder.tell("read 15") == "from the reader"


def row_of(tree, holder):
    """The line of `files` about the mapping that the target holds."""
    table = formats.files(read(f"{tree.path}/{holder.pid}/files"))
    [row] = [row for row in table if row.range == holder.facts["range"]]
    return row


def check_backing(tree, holder, deleted, path):
    """The object opens, and the reports tell its name and whether it has one left."""
    mapping = folder(tree, holder.pid, holder.facts["range"])
    assert read(mapping + "/backing") == CONTENT
    info = formats.report(read(mapping + "/info"))
    assert (info["Deleted"], info["Name"]) == (deleted, path)
    row = row_of(tree, holder)
    assert (row.deleted, row.path) == (deleted, path)
    device, _, inode = run(["stat", "-L", "-c", "%Hd:%Ld %i", mapping + "/backing"]).decode().strip().partition(" ")
    assert row.inode == int(inode)
    assert [int(part, 16) for part in row.device.split(":")] == [int(part) for part in device.split(":")]


@pytest.mark.parametrize("kind", ["file", "private"])
def test_backing_of_a_living_file(tree, target, content, kind):
    holder = target("holder", kind, content)
    check_backing(tree, holder, "no", str(content))
    row = row_of(tree, holder)
    assert row.mode == {"file": "rw-", "private": "r--"}[kind]
    assert object_of(folder(tree, holder.pid, row.range) + "/backing") == object_of(content)


def test_backing_of_a_deleted_file(tree, target, content):
    holder = target("holder", "file", content)
    content.unlink()
    check_backing(tree, holder, "yes", str(content))


def test_backing_of_a_replaced_file(tree, target, content, tmp_path):
    holder = target("holder", "private", content)
    successor = tmp_path / "successor"
    successor.write_bytes(b"other bytes")
    os.rename(successor, content)
    check_backing(tree, holder, "yes", str(content))
    assert read(str(content)) == b"other bytes"


def test_backing_of_a_deleted_file_that_has_another_link(tree, target, content, tmp_path):
    """The kernel marks the name as deleted, the link count says that the file lives."""
    holder = target("holder", "file", content)
    os.link(content, tmp_path / "second")
    content.unlink()
    row = row_of(tree, holder)
    assert row.deleted == "no" and row.path.startswith(str(content))
    mapping = folder(tree, holder.pid, row.range)
    assert formats.report(read(mapping + "/info"))["Deleted"] == "no"
    assert object_of(mapping + "/backing") == object_of(tmp_path / "second")


def test_backing_of_a_file_in_another_mount_namespace(tree, target, content, tmp_path):
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    script = 'mount -t tmpfs none "$1" && cp "$0" "$1/file" && shift && exec "$@"'
    under = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, str(content), str(hidden)]
    holder = target("holder", "file", hidden / "file", under=under)
    assert not os.listdir(hidden)
    mapping = folder(tree, holder.pid, holder.facts["range"])
    assert read(mapping + "/backing") == CONTENT
    assert formats.report(read(mapping + "/info"))["Deleted"] == "no"


def test_backing_of_a_lazily_unmounted_file(tree, target, content, tmp_path):
    point = tmp_path / "point"
    point.mkdir()
    run(["mount", "-t", "tmpfs", "none", str(point)])
    try:
        shutil.copy(content, point / "file")
        holder = target("holder", "file", point / "file")
    finally:
        run(["umount", "-l", str(point)])
    assert not os.listdir(point)
    mapping = folder(tree, holder.pid, holder.facts["range"])
    assert read(mapping + "/backing") == CONTENT
    assert formats.report(read(mapping + "/info"))["Deleted"] == "no"


def test_backing_is_there_only_where_the_mapping_has_a_file(tree, target, content):
    holder = target("holder", "file", content)
    kernel = set(names(f"/proc/{holder.pid}/map_files"))
    for mapping in names(f"{tree.path}/{holder.pid}/vma"):
        path = os.fsencode(folder(tree, holder.pid, "")) + mapping + b"/backing"
        if mapping in kernel:
            assert run(["readlink", "-n", path]) == b"/proc/%d/map_files/%s" % (holder.pid, mapping)
        else:
            assert errno_of("lstat", path) == "ENOENT"


def test_a_plain_user_gets_the_kernels_answer_to_following_a_link(mount, target):
    """Following needs a capability; what the link shows, and that it may not be followed, is the kernel's decision."""
    mine = mount("-o", "max_age=0", under=NOBODY)
    holder = target("holder", "shared", SIZE, under=NOBODY, cwd="/")
    path = f"{mine.path}/{holder.pid}/vma/{holder.facts['range']}/backing"
    kernel = f"/proc/{holder.pid}/map_files/{holder.facts['range']}"
    assert run(["readlink", "-n", path], NOBODY) == kernel.encode()
    assert errno_of("open", kernel, under=NOBODY) == "EPERM"
    assert errno_of("open", path, under=NOBODY) == "EPERM"
    assert outcome(["ls", "-l", f"{mine.path}/{holder.pid}/map_files/"], NOBODY).returncode == 0
