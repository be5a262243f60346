"""What it must stand: odd names of files and processes, names that are nothing, and writing."""

import os

import pytest

import formats
from reading import errno_of, names, read, run
from truth_mappings import escape

FILES = {
    "blanks": b"with blanks  two",
    "newline": b"new\nline",
    "backslash": b"back\\slash",
    "backslash 012": b"back\\012slash",
    "(deleted)": b"alive (deleted)",
    "invalid UTF-8": b"\xff\xfe latin \xe9 cut \xc3",
    "valid UTF-8": "häßlich 目录".encode(),
    "control bytes": b"\x01\t\x1b[31m\x7f",
}


def check_names(tree, holder, raw, label, content, deleted):
    """FILES, INFO, LAYOUT and BY-LABEL tell one name, whole, and the link opens the object."""
    pid, mapping = holder.pid, holder.facts["map0"]
    name = escape(raw, blanks=True)
    [row] = [row for row in formats.files(read(f"{tree.path}/{pid}/files")) if row.range == mapping]
    assert (row.path, row.deleted) == (name, deleted)
    info = formats.report(read(f"{tree.path}/{pid}/vma/{mapping}/info"))
    assert (info["Name"], info["Deleted"], info["Label"]) == (name, deleted, label)
    [row] = [row for row in formats.layout(read(f"{tree.path}/{pid}/layout")) if row.range == mapping]
    assert (row.name, row.label) == (name, label)
    assert read(f"{tree.path}/{pid}/vma/{mapping}/backing") == content
    if label == "-":
        return
    assert run(["readlink", "-n", f"{tree.path}/{pid}/by-label/{label}"]).decode() == f"../vma/{mapping}"
    assert label.encode() in names(f"{tree.path}/{pid}/by-label")


@pytest.mark.quick
@pytest.mark.parametrize("kind", FILES)
def test_name_of_the_mapped_file_holds(tree, target, tmp_path, kind):
    path = os.fsencode(tmp_path) + b"/" + FILES[kind]
    with open(path, "wb") as file:
        file.write(b"what " + FILES[kind])
    holder = target("names", path.hex())
    check_names(tree, holder, path, escape(FILES[kind]), b"what " + FILES[kind], "no")


def test_name_of_the_mapped_file_holds_deleted_and_it_is(tree, target, tmp_path):
    path = os.fsencode(tmp_path) + b"/gone (deleted)"
    with open(path, "wb") as file:
        file.write(b"content")
    holder = target("names", path.hex())
    os.unlink(path)
    check_names(tree, holder, path, "gone\\x20(deleted)", b"content", "yes")


def test_name_of_the_mapped_file_is_4000_bytes_long(tree, target, tmp_path):
    path = os.fsencode(tmp_path)
    while len(path) < 3800:
        path += b"/" + b"d" * 199
        os.mkdir(path)
    path += b"/" + b"f" * (4000 - len(path) - 1)
    assert len(path) == 4000
    with open(path, "wb") as file:
        file.write(b"deep")
    holder = target("names", path.hex())
    check_names(tree, holder, path, path.rpartition(b"/")[2].decode(), b"deep", "no")


def test_name_of_the_mapped_file_is_too_long_for_a_label_once_escaped(tree, target, tmp_path):
    path = os.fsencode(tmp_path) + b"/" + b"\xff" * 100
    with open(path, "wb") as file:
        file.write(b"content")
    holder = target("names", path.hex())
    check_names(tree, holder, path, "-", b"content", "no")


def test_name_of_a_memfd_holds_blanks_a_newline_and_invalid_UTF_8(tree, target):
    name = b"a b\nc\\d\xff"
    holder = target("names", "memfd:" + name.hex())
    check_names(tree, holder, b"/memfd:" + name, "memfd:" + escape(name), bytes(4096), "yes")


# Names of processes.

COMMANDS = {"..": r"\x2e\x2e", ".": r"\x2e", "/": r"\x2f", "": r"\x00", "a/b c": r"a\x2fb\x20c", "a\nb\\": r"a\x0ab\x5c"}


@pytest.mark.parametrize("name", COMMANDS, ids=lambda name: repr(name))
def test_process_with_an_odd_name_is_in_by_name(tree, target, name):
    odd = target("moving")
    assert odd.tell(f"name {name.encode().hex()}") == "ok"
    folder = f"{tree.path}/by-name/{COMMANDS[name]}"
    assert COMMANDS[name].encode() in names(f"{tree.path}/by-name")
    assert str(odd.pid).encode() in names(folder)
    assert run(["readlink", "-n", f"{folder}/{odd.pid}"]).decode() == f"../../{odd.pid}"
    assert formats.report(read(f"{folder}/{odd.pid}/info"))["Pid"] == str(odd.pid)


def test_100_processes_of_one_name_are_all_in_by_name(tree, target):
    many = [target("moving") for _ in range(100)]
    for one in many:
        assert one.tell(f"name {b'one of many'.hex()}") == "ok"
    listed = names(tree.path + r"/by-name/one\x20of\x20many")
    assert listed == sorted((str(one.pid).encode() for one in many), key=int)
    assert names(f"{tree.path}/by-name").count(rb"one\x20of\x20many") == 1


# Writing, creating, deleting.

WRITES = {
    "write": "os.open(args[0] + b'/info', os.O_WRONLY)",
    "write and truncate": "os.open(args[0] + b'/info', os.O_RDWR | os.O_TRUNC)",
    "truncate": "os.truncate(args[0] + b'/info', 0)",
    "create": "os.open(args[0] + b'/new', os.O_WRONLY | os.O_CREAT, 0o644)",
    "make a folder": "os.mkdir(args[0] + b'/new')",
    "make a pipe": "os.mkfifo(args[0] + b'/new')",
    "link": "os.link(args[0] + b'/info', args[0] + b'/new')",
    "symlink": "os.symlink(b'info', args[0] + b'/new')",
    "unlink": "os.unlink(args[0] + b'/info')",
    "rmdir": "os.rmdir(args[0] + b'/vma')",
    "rename": "os.rename(args[0] + b'/info', args[0] + b'/new')",
    "chmod": "os.chmod(args[0] + b'/info', 0o777)",
    "chown": "os.chown(args[0] + b'/info', 1, 1)",
    "utime": "os.utime(args[0] + b'/info')",
    "setxattr": "os.setxattr(args[0] + b'/info', 'user.a', b'b')",
}


@pytest.mark.quick
@pytest.mark.parametrize("way", WRITES)
def test_writing_creating_deleting_is_EROFS(tree, target, way):
    assert errno_of(WRITES[way], f"{tree.path}/{target('moving').pid}") == "EROFS"


def test_writing_creating_deleting_is_EROFS_at_the_root_and_in_the_mount_table(tree):
    assert errno_of("os.mkdir(args[0])", tree.path + "/new") == "EROFS"
    assert errno_of("os.unlink(args[0])", tree.path + "/README") == "EROFS"
    assert errno_of("write", tree.path + "/status") == "EROFS"
    assert "ro" in run(["findmnt", "-n", "-o", "OPTIONS", tree.path]).decode().strip().split(",")
    assert run(["findmnt", "-n", "-o", "FSTYPE", tree.path]) == b"fuse.pagefs\n"


# Names that are nothing.

NO_PIDS = ["01", "-1", "0", "+1", "1 ", " 1", "1x", "0x1", "4194305", "4294967297", "18446744073709551617", "9" * 40, "readme"]


@pytest.mark.parametrize("name", NO_PIDS, ids=repr)
def test_name_that_is_no_pid_is_ENOENT(tree, name):
    assert errno_of("lstat", f"{tree.path}/{name}") == "ENOENT"
    assert errno_of("open", f"{tree.path}/{name}/info") == "ENOENT"


def test_thread_id_that_leads_no_group_is_ENOENT(tree, target):
    process = target("moving")
    thread = process.tell("leader-exit").removeprefix("thread=")
    assert os.path.exists(f"/proc/{thread}")
    assert errno_of("lstat", f"{tree.path}/{thread}") == "ENOENT"
    assert thread.encode() not in names(tree.path)


@pytest.mark.quick
def test_name_that_is_no_range_is_ENOENT(tree, target):
    crowd = target("mappings", 8)
    start, end = (int(part, 16) for part in crowd.facts["range"].split("-"))
    page = 4096
    good = f"{start:x}-{start + page:x}"
    folder = f"{tree.path}/{crowd.pid}/vma"
    assert errno_of("lstat", f"{folder}/{good}") is None
    bad = {
        "upper case": good.upper(),
        "leading zero": "0" + good,
        "leading zero at the end": f"{start:x}-0{start + page:x}",
        "0x": f"0x{start:x}-0x{start + page:x}",
        "blank": good.replace("-", " -"),
        "union": f"{start:x}-{start + 2 * page:x}",
        "whole area": f"{start:x}-{end:x}",
        "part": f"{start:x}-{start + page // 2:x}",
        "empty": f"{start:x}-{start:x}",
        "turned round": f"{start + page:x}-{start:x}",
        "no end": f"{start:x}-",
        "no start": f"-{start + page:x}",
        "no dash": f"{start:x}",
        "sign": f"+{good}",
        "three parts": f"{good}-{start:x}",
        "overflow": f"1{start:016x}-1{start + page:016x}",
        "word": "heap",
    }
    found = {kind: name for kind, name in bad.items() if errno_of("lstat", f"{folder}/{name}") != "ENOENT"}
    assert not found
    assert errno_of("open", f"{folder}/{bad['union']}/pages") == "ENOENT"


def test_part_of_a_mapping_is_no_mapping_but_has_pages(tree, target):
    process = target("moving")
    start, end = (int(part, 16) for part in process.facts["range"].split("-"))
    folder, half = f"{tree.path}/{process.pid}", f"{start:x}-{(start + end) // 2:x}"
    assert errno_of("lstat", f"{folder}/vma/{half}") == "ENOENT"
    assert len(formats.pages(read(f"{folder}/pages@{half}"))) == 8
    for bad in (f"{start + 1:x}-{end:x}", f"{start:x}-{end - 1:x}", f"{end:x}-{start:x}", f"{start:x}-{start:x}",
                half.upper(), "0" + half, "0x" + half, half + " ", "", "1" + "0" * 16 + "-2" + "0" * 16):
        for view in "pages", "ranges", "flags", "mapcounts":
            assert errno_of("lstat", f"{folder}/{view}@{bad}") == "ENOENT", bad
    assert errno_of("lstat", f"{folder}/summary@{half}") == "ENOENT"


def test_300_byte_names_are_ENAMETOOLONG_and_statfs_says_so(tree, target):
    process = target("moving")
    folder = f"{tree.path}/{process.pid}"
    mapping = f"{folder}/vma/{process.facts['range']}"
    parents = [tree.path, f"{tree.path}/by-name", folder, *(f"{folder}/{name}" for name in ("vma", "at", "by-label"))]
    for parent in *parents, mapping, f"{mapping}/raw":
        assert errno_of("lstat", f"{parent}/{'1' * 300}") == "ENAMETOOLONG", parent
        assert errno_of("lstat", f"{parent}/{'1' * 256}") == "ENAMETOOLONG", parent
        assert errno_of("lstat", f"{parent}/{'1' * 255}") == "ENOENT", parent
    assert run(["stat", "-f", "-c", "%l", tree.path]) == b"255\n"


def test_name_dot_dot_leads_to_the_parent(tree, target):
    process = target("moving")
    folder = f"{tree.path}/{process.pid}"
    inode = ["stat", "-c", "%i"]
    assert run([*inode, f"{folder}/vma/.."]) == run([*inode, folder])
    assert run([*inode, f"{folder}/vma/{process.facts['range']}/../.."]) == run([*inode, folder])
    assert run([*inode, f"{folder}/.."]) == run([*inode, tree.path])
    assert formats.report(read(f"{folder}/vma/../info"))["Pid"] == str(process.pid)


def test_file_is_no_folder_and_folder_is_no_file(tree, target):
    folder = f"{tree.path}/{target('moving').pid}"
    assert errno_of("lstat", f"{folder}/info/more") == "ENOTDIR"
    assert errno_of("list", f"{folder}/info") == "ENOTDIR"
    assert errno_of("read", folder) == "EISDIR"
