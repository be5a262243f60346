"""What it must stand: handles and folders held across exit, exec, unmap and the next use of a pid."""

import errno
import os

import pytest

import formats
from reading import Reader, errno_of, names, read, until
from views import VIEWS

pytestmark = pytest.mark.quick

LAST_PID = "/proc/sys/kernel/ns_last_pid"
# Rows of these are read when they are asked for: where the process lives on they tell what is there now, in as many bytes.
LIVE = "letters", "raw/pagemap", "raw/kpageflags"


def handles(reader, folder, mapping):
    """Open handles of every sort, and what each had said."""
    texts = {}
    for view in *VIEWS, "raw/pagemap", "raw/kpageflags":
        handle = reader.open(f"{folder}/vma/{mapping}/{view}")
        texts[handle] = reader.rest(handle), view
    for view in "pages", "layout", "files", "summary", "info":
        handle = reader.open(f"{folder}/{view}")
        texts[handle] = reader.rest(handle), view
    return texts


def check_frozen(reader, texts, lives_on=False):
    """A handle held across the end of what it shows: byte for byte the text it had, from its beginning and from its middle.

    Rows of the LIVE ones are gone with the process; where that LIVES ON without the mapping they say that nothing is there.
    """
    frozen = 0
    for handle, (text, view) in texts.items():
        if view not in LIVE:
            half = len(text) // 2
            assert reader.call("pread", handle, len(text) + 1, 0) == text, view
            assert reader.call("pread", handle, len(text) + 1, half) == text[half:], view
            frozen += 1
            continue
        try:
            now = reader.call("pread", handle, len(text) + 1, 0)
        except OSError as error:
            assert error.errno == errno.ESRCH, view
            continue
        assert now == text or (lives_on and len(now) == len(text) and is_empty(now, text, view)), (view, now[:300])
    assert frozen == len(texts) - len(LIVE)


def is_empty(now, text, view):
    """The answer of a LIVE one about pages that are gone."""
    if view != "letters":
        return not any(now)
    lines, before = ([data[at : at + formats.WIDTH] for at in range(0, len(data), formats.WIDTH)] for data in (now, text))
    return lines[0] == before[0] and all(new[:18] == old[:17] + b"." for new, old in zip(lines[1:], before[1:]))


@pytest.mark.parametrize("event", ["exit", "exec", "unmap"])
def test_handle_held_across_exit_exec_unmap_has_frozen_text_or_ESRCH(tree, target, event):
    process = target("moving")
    folder, mapping = f"{tree.path}/{process.pid}", process.facts["range"]
    with Reader() as reader:
        texts = handles(reader, folder, mapping)
        if event == "exit":
            process.proc.stdin.write(b"exit\n")
            process.proc.wait(10)
        elif event == "exec":
            assert process.tell("exec").startswith("ready ")
        else:
            assert process.tell("unmap") == "ok"
        check_frozen(reader, texts, event == "unmap")
    assert errno_of("lstat", f"{folder}/vma/{mapping}") == "ENOENT"
    assert errno_of("open", f"{folder}/vma/{mapping}/pages") == "ENOENT"
    assert errno_of("lstat", folder) == (None if event != "exit" else "ENOENT")


@pytest.mark.parametrize("change", ["unmap", "shrink", "move"])
def test_old_RANGE_of_a_mapping_that_went_or_shrank_is_ENOENT(tree, target, change):
    process = target("moving")
    folder, old = f"{tree.path}/{process.pid}/vma", process.facts["range"]
    assert len(formats.pages(read(f"{folder}/{old}/pages"))) == 16
    answer = process.tell(change)
    assert errno_of("lstat", f"{folder}/{old}") == "ENOENT"
    assert old.encode() not in names(folder)
    if change == "move":
        assert len(formats.pages(read(f"{folder}/{answer.removeprefix('range=')}/pages"))) == 16
    elif change == "shrink":
        start, end = (int(part, 16) for part in old.split("-"))
        assert len(formats.pages(read(f"{folder}/{start:x}-{(start + end) // 2:x}/pages"))) == 8


def test_working_directory_stays_valid_across_exec(tree, target):
    process = target("moving")
    with Reader() as reader:
        reader.call("chdir", f"{tree.path}/{process.pid}")
        assert process.tell("exec").startswith("ready ")
        assert reader.call("getcwd") == f"{tree.path}/{process.pid}"
        info = formats.report(reader.rest(reader.open("info")))
        assert info["Pid"] == str(process.pid)
        assert reader.call("listdir", "vma")


def take_pid(spawn, pid, tries=300):
    """A new process with this very number."""
    for _ in range(tries):
        with open(LAST_PID, "w") as last:
            last.write(str(pid - 1))
        sleeper = spawn(["sleep", "1000"])
        if sleeper.pid == pid:
            until(lambda: os.readlink(f"/proc/{pid}/exe").endswith("sleep"), what="the start of sleep")
            return
        sleeper.kill()
        sleeper.wait(10)
    pytest.skip(f"others took pid {pid} or its neighbours {tries} times")


def test_old_directory_and_handle_never_show_the_next_process_of_that_pid(tree, target, spawn):
    if not os.access(LAST_PID, os.W_OK):
        pytest.skip(f"{LAST_PID} is not writable: no pid can be forced")
    process = target("moving")
    folder, mapping = f"{tree.path}/{process.pid}", process.facts["range"]
    with Reader() as holder, Reader() as inside:
        inside.call("chdir", folder)
        directories = {name: holder.open(name, os.O_RDONLY | os.O_DIRECTORY)
                       for name in (folder, f"{folder}/vma", f"{folder}/by-label", f"{folder}/vma/{mapping}")}
        texts = handles(holder, folder, mapping)
        process.close()
        take_pid(spawn, process.pid)
        assert formats.report(read(f"{folder}/info"))["Name"] == "sleep"

        check_frozen(holder, texts)
        for name, directory in directories.items():
            for entry in "info", "summary", "pages", "vma", "layout":
                with pytest.raises(OSError) as gone:
                    holder.rest(holder.open(entry, dir_fd=directory))
                assert gone.value.errno in (errno.ENOENT, errno.ESRCH), (name, entry)
        for entry in "info", "pages", "vma":
            with pytest.raises(OSError) as gone:
                inside.rest(inside.open(entry))
            assert gone.value.errno in (errno.ENOENT, errno.ESRCH), entry
        for directory in directories[f"{folder}/vma"], directories[f"{folder}/by-label"]:
            try:
                assert holder.call("listdir", directory) == []
            except OSError as error:
                assert error.errno in (errno.ENOENT, errno.ESRCH)
