"""What it must stand: kernel threads, zombies, dead main threads, sleepers in D state, and those nobody may inspect."""

import os
import re

import pytest

import formats
from reading import errno_of, names, outcome, process_status, read, run

# What find and ls say of a process that ended between two of their steps.
GONE = re.compile(rb"No such file or directory|No such process")


def pids():
    return sorted(int(name) for name in os.listdir("/proc") if name.isdigit())


def refused():
    """Processes that even this reader may not inspect, and the kernel's errno for it."""
    found = {}
    for pid in pids():
        try:
            with open(f"/proc/{pid}/maps", "rb") as maps:
                maps.read(1)
        except PermissionError as error:
            found[pid] = {1: "EPERM", 13: "EACCES"}[error.errno]
        except OSError:
            pass
    return found


def kernel_thread():
    for pid in pids():
        if process_status(pid, "Kthread") == "1":
            return pid
    pytest.skip("no kernel thread is visible here")


def check_quiet(folder):
    """No listing of the process fails or complains."""
    run(["ls", "-R", folder])
    run(["ls", "-lR", folder])
    run(["find", folder])


def check_without_memory(tree, pid):
    folder = f"{tree.path}/{pid}"
    check_quiet(folder)
    assert names(f"{folder}/vma") == [] and names(f"{folder}/by-label") == []
    info, summary = (formats.report(read(f"{folder}/{name}")) for name in ("info", "summary"))
    for found in info, summary:
        for key in "Name", "State", "Pid", "Uid":
            assert found[key].split() == process_status(pid, key).split(), key
    assert info["Executable"] == "-"
    assert names(f"{folder}/map_files/") == names(f"/proc/{pid}/map_files")
    return info


def test_kernel_thread(tree):
    assert check_without_memory(tree, kernel_thread())["Kthread"] == "1"


@pytest.mark.quick
def test_zombie(tree, target):
    zombie = int(target("moving").tell("zombie").removeprefix("zombie="))
    assert check_without_memory(tree, zombie)["State"].startswith("Z")


@pytest.mark.quick
def test_process_whose_main_thread_exited_is_shown_through_a_live_thread(tree, target):
    process = target("moving")
    process.tell("leader-exit")
    folder, mapping = f"{tree.path}/{process.pid}", process.facts["range"]
    check_quiet(folder)
    assert mapping.encode() in names(f"{folder}/vma")
    assert len(formats.pages(read(f"{folder}/vma/{mapping}/pages"))) == 16
    assert mapping in [row.range for row in formats.layout(read(f"{folder}/layout"))]
    assert formats.report(read(f"{folder}/summary"))["Rss"] != "0 kB"
    assert read(f"{folder}/vma/{mapping}/raw/pagemap")
    assert formats.report(read(f"{folder}/info"))["Pid"] == str(process.pid)


def test_process_in_D_state_a_vfork_parent(tree, target):
    process = target("moving")
    child = process.tell("vfork").removeprefix("child=")
    assert process_status(process.pid, "State").startswith("D")
    for pid in process.pid, child:
        check_quiet(f"{tree.path}/{pid}")
        assert len(formats.pages(read(f"{tree.path}/{pid}/vma/{process.facts['range']}/pages"))) == 16
    assert formats.report(read(f"{tree.path}/{process.pid}/info"))["State"].startswith("D")
    assert process.tell("end") == "ok"


@pytest.mark.quick
def test_process_that_even_root_may_not_inspect(tree):
    closed = refused()
    if not closed:
        pytest.skip("this machine has no process that root may not inspect")
    for pid, code in closed.items():
        folder = f"{tree.path}/{pid}"
        assert str(pid).encode() in names(tree.path)
        assert names(folder), "its folder must still list"
        assert errno_of("list", f"{folder}/vma") == code
        for view in "pages", "ranges", "flags", "mapcounts", "strip", "fill", "layout", "files", "summary", "smaps", "pagemap":
            assert errno_of("read", f"{folder}/{view}") == code, view
        info = formats.report(read(f"{folder}/info"))
        assert info["Executable"] == "?"
        for key in "Name", "State", "Pid", "Uid", "Threads":
            assert info[key].split() == process_status(pid, key).split()


def test_ls_R_of_the_whole_mount_finishes_and_odd_ones_do_not_break_it(tree, target):
    """Only what the kernel refuses, and what ended meanwhile, is complained about; everybody else is listed whole."""
    zoo = [target("moving") for _ in range(3)]
    zoo[0].tell("leader-exit")
    zoo[1].tell("vfork")
    zoo[2].tell("zombie")
    done = outcome(["ls", "-R", tree.path], timeout=100)
    closed = [f"{tree.path}/{pid}/".encode() for pid in refused()]
    for line in done.stderr.splitlines():
        assert GONE.search(line) or any(folder in line for folder in closed), line
    listed = set(done.stdout.splitlines())
    for process in zoo:
        assert f"{tree.path}/{process.pid}/vma/{process.facts['range']}:".encode() in listed
    assert done.stdout.count(f"{tree.path}/{os.getpid()}:\n".encode()) == 1


def test_listing_has_every_process_in_order_once(tree):
    before = set(pids())
    listed = [int(name) for name in names(tree.path) if name.isdigit()]
    after = set(pids())
    assert before & after <= set(listed)
    assert not [pid for pid in set(listed) - before - after if os.path.exists(f"/proc/{pid}")]  # The reader itself is gone.
    assert listed == sorted(set(listed))
