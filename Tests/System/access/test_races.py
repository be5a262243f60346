"""Races against the moment at which a right ends: a setuid program is executed, a pid is used again, a page is mapped that
another reader had mapped before."""

import concurrent.futures
import errno
import os
import re
import subprocess

import pytest

import formats
from handing import Holder
from identities import OWNER, ROOT
from reading import process_status, read, until
from running import compiled
from truth import mappings

EXECS = 1000
MAPPED = 2500
LOW = 0x10000000  # Where `guarded` is linked to.
LAST_PID = "/proc/sys/kernel/ns_last_pid"


@pytest.fixture
def shared(mount):
    return mount("-o", "allow_other")


@pytest.fixture
def guarded(workspace, spawn):
    """A program that is setuid root, and the range of its first mapping, the same in each of its processes."""
    if os.statvfs(workspace).f_flag & os.ST_NOSUID:
        pytest.skip(f"{workspace} is on a file system that is mounted nosuid")
    if process_status(os.getpid(), "NoNewPrivs") != "0":
        pytest.skip("the tests run under no_new_privs: no program is setuid for them")
    program = compiled("guarded", workspace, "-static", "-no-pie", f"-Wl,-Ttext-segment={LOW:#x}")
    os.chown(program, 0, 0)
    os.chmod(program, 0o4755)
    one = spawn([program], stdin=subprocess.PIPE)
    until(lambda: os.readlink(f"/proc/{one.pid}/exe") == os.path.realpath(program), what="the start of a program")
    first = mappings(one.pid)[0]
    assert first.start == LOW
    return program, first.range


def raced(target, program, paths, rounds):
    """Two racers at once, which look at PATHS by turns: how many children they saw before the exec, and how often they were
    shown what came after it, with the first path of each."""
    racers = [target("exec_race", program, *paths, under=OWNER, cwd="/") for _ in range(2)]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda one: one.tell(f"race {rounds // 2}", timeout=80), racers))
    found = [re.fullmatch(r"before=(\d+) shown=(\d+) (.*)", one) for one in answers]
    assert all(found), answers
    return sum(int(one[1]) for one in found), [(int(one[2]), one[3]) for one in found if one[2] != "0"]


def test_setuid_program_is_never_shown_while_it_is_executed(shared, target, guarded):
    """/proc itself first: what it does not show either, the mount must not show."""
    program, first = guarded
    before, shown = raced(target, program, ["/proc/%d/maps"], EXECS // 10)
    assert before and not shown
    folder = f"{shared.path}/%d"
    views = [f"{folder}/vma/", f"{folder}/layout", f"{folder}/vma/{first}/maps", f"{folder}/pages"]
    before, shown = raced(target, program, views, EXECS)
    assert not shown
    assert before > EXECS // 40, "the processes were hardly ever seen before the exec: no race took place"


def fields(answer):
    return dict(pair.split("=") for pair in answer.split())


VIEWS = "pages", "ranges", "flags", "mapcounts", "strip", "fill", "summary", "layout", "info"
OF_A_MAPPING = "pages", "letters", "maps", "smaps", "raw/pagemap"
GONE = errno.ENOENT, errno.ESRCH


def handles(reader, path, mapping):
    """Of everything that the process shows, an open handle of which nothing has been read but the beginning of its stream."""
    found = {view: reader.open(f"{path}/{view}") for view in VIEWS}
    found |= {f"vma/{view}": reader.open(f"{path}/vma/{mapping}/{view}") for view in OF_A_MAPPING}
    assert reader.call("fstat", found["pages"])[6] == 0, "the table of pages does not stream"
    reader.call("read", found["pages"], 65536)
    return found


def what_is_left(reader, handle):
    """The rest of a handle of a process that has ended, or nothing where that is what it says."""
    pieces = []
    try:
        while piece := reader.call("read", handle, 1 << 17):
            pieces.append(piece)
    except OSError as error:
        assert error.errno in GONE, error
    return b"".join(pieces)


@pytest.mark.parametrize("under", [OWNER, ROOT], ids=["owner", "root"])
def test_next_process_of_a_pid_is_nothing_to_the_readers_of_the_first(shared, target, under):
    """The second one is root's and begins in the same tick of the clock; each has its pages elsewhere."""
    if not os.access(LAST_PID, os.W_OK):
        pytest.skip(f"{LAST_PID} cannot be written: no pid can be forced")
    parent = target("successor")
    first = fields(parent.tell("first 1000"))
    path = f"{shared.path}/{first['pid']}"
    with Holder(under=under) as reader:
        folders = {name: reader.open(path + name, os.O_RDONLY | os.O_DIRECTORY) for name in ("", "/vma", "/by-label")}
        held = handles(reader, path, first["writes"])
        marked = reader.open(path + "/layout", os.O_PATH)
        reader.call("chdir", path)
        answer = parent.tell("next 0")
        if answer == "taken":
            pytest.skip("others always took the number of the process")
        second = fields(answer)
        assert second["pid"] == first["pid"]
        # Root looks at the new one: what may be kept is kept from now on.
        for view in VIEWS:
            assert read(f"{path}/{view}")

        mark = second["writes"].split("-")[0][:6].encode()
        for view, handle in held.items():
            text = what_is_left(reader, handle)
            assert not re.search(rb"(?m)^" + mark, text), f"{view} shows the next process: {text[:300]!r}"
            if view == "info" and text:
                assert formats.report(text)["Uid"].split()[0] == "1000"
        for name, folder in folders.items():
            for entry in "info", "layout", "vma", "pages":
                with pytest.raises(OSError) as gone:
                    what_is_left(reader, reader.open(entry, dir_fd=folder))
                assert gone.value.errno in GONE, (name, entry)
            try:
                assert not [entry for entry in reader.call("entries", folder) if entry.encode().startswith(mark)], name
            except OSError as error:
                assert error.errno in GONE, name
        for entry in "layout", f"/proc/self/fd/{marked}":
            with pytest.raises(OSError) as gone:
                reader.open(entry)
            assert gone.value.errno in GONE, entry
        if under is OWNER:
            check_refused(reader, path, second["writes"])


def check_refused(reader, path, mapping):
    """The process of root, asked for anew: /proc refuses all of it, and so does the mount."""
    for view in "layout", "pages", "summary", f"vma/{mapping}/maps", f"vma/{mapping}/pages":
        with pytest.raises(PermissionError):
            what_is_left(reader, reader.open(f"{path}/{view}"))
    with pytest.raises(PermissionError):
        reader.call("listdir", f"{path}/vma")


def counts(answer):
    found = re.fullmatch(r"mapped=(\d+) shown=(\d+)", answer)
    assert found, answer
    return int(found[1]), int(found[2])


def test_private_mapping_never_holds_pages_of_a_privileged_one(shared, target):
    """The owner of a process maps the same paths that root has mapped and looked at, and finds his own view only."""
    process = target("moving", under=OWNER, cwd="/")
    folder = f"{shared.path}/{process.pid}/vma/{process.facts['range']}"
    paths = f"{folder}/letters", f"{folder}/raw/pagemap"
    root, owner = target("mapper", *paths), target("mapper", *paths, under=OWNER, cwd="/")
    assert root.tell("begin") == "ok"
    assert counts(owner.tell(f"map {MAPPED}", timeout=100)) == (MAPPED, 0)
    mapped, shown = counts(root.tell("end"))
    assert mapped == shown > MAPPED // 100, "root's mappings show every frame"
