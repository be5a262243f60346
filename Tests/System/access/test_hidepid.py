"""What it must stand: a /proc mounted with hidepid=, for root and for a plain user."""

import os
import re

import pytest

import formats
from identities import NOBODY, ROOT
from reading import errno_of, names, outcome, read, run

NOGROUP = 65534
OPTIONS = ["hidepid=0", "hidepid=1", "hidepid=2", "hidepid=4", f"hidepid=2,gid={NOGROUP}", f"hidepid=1,gid={NOGROUP}"]
USERS = pytest.mark.parametrize("under", [ROOT, NOBODY], ids=["root", "nobody"])


@pytest.fixture(params=OPTIONS)
def proc(request, workspace):
    """A second /proc with other rules, where every user can reach it."""
    folder = os.path.join(workspace, "proc")
    os.makedirs(folder, exist_ok=True)
    done = outcome(["mount", "-t", "proc", "-o", request.param, "proc", folder])
    if done.returncode:
        pytest.skip(f"this kernel does not mount proc with {request.param}: {done.stderr.decode().strip()}")
    yield folder, request.param
    run(["umount", "-l", folder])


def pids(path, under):
    return {int(name) for name in names(path, under) if name.isdigit()}


@USERS
def test_proc_with_hidepid_shows_what_it_shows_that_reader(mount, target, proc, under):
    folder, _ = proc
    own = target("moving", under=under, cwd="/")
    mine = mount("-o", f"max_age=0,proc={folder}", under=under)
    mine.refuses("only full root may see the daemon itself")
    before = pids(folder, under)
    shown = pids(mine.path, under)
    after = pids(folder, under)
    assert own.pid in shown
    assert before & after <= shown
    assert not (shown - before - after) & pids(folder, under)  # Only readers that have ended were seen in between.
    assert len(formats.pages(read(f"{mine.path}/{own.pid}/vma/{own.facts['range']}/pages", under))) == 16


@pytest.mark.quick
@USERS
def test_proc_with_hidepid_answers_as_it_does_for_that_reader(mount, target, proc, under):
    folder, _ = proc
    stranger = target("moving")  # Root's.
    mine = mount("-o", f"max_age=0,proc={folder}", under=under)
    mine.refuses("only full root may see the daemon itself")
    kernel, ours = f"{folder}/{stranger.pid}", f"{mine.path}/{stranger.pid}"
    assert errno_of("lstat", ours, under=under) == errno_of("lstat", kernel, under=under)
    assert errno_of("read", f"{ours}/info", under=under) == errno_of("read", f"{kernel}/status", under=under)
    for view in "layout", "smaps", "pages", "vma":
        expected = errno_of("open", f"{kernel}/maps", under=under)
        assert errno_of("list" if view == "vma" else "read", f"{ours}/{view}", under=under) == expected, view
    named = errno_of("lstat", f"{mine.path}/by-name/moving/{stranger.pid}", under=under)
    assert named == ("ENOENT" if errno_of("read", f"{kernel}/comm", under=under) else None)


@USERS
def test_proc_with_hidepid_is_named_in_capabilities(mount, proc, under):
    folder, options = proc
    mine = mount("-o", f"proc={folder}", under=under)
    lines = [line for line in read(f"{mine.path}/capabilities", under).decode().splitlines() if "hidepid" in line.lower()]
    if not options.startswith("hidepid=0"):
        assert len(lines) == 1 and re.fullmatch(r"\S[^:]*: +(yes|no)( \(.+\))?", lines[0]), lines
        word = {"1": "noaccess", "2": "invisible", "4": "ptraceable"}[options[8]]
        assert options[:9] in lines[0] or word in lines[0], lines[0]


def test_links_lead_to_the_proc_that_was_named(mount, target, proc):
    folder, _ = proc
    process = target("moving")
    mine = mount("-o", f"proc={folder}")
    for name in "maps", "smaps", "pagemap", "map_files":
        assert run(["readlink", "-n", f"{mine.path}/{process.pid}/{name}"]).decode() == f"{folder}/{process.pid}/{name}"
    assert read(f"{mine.path}/{process.pid}/maps") == read(f"/proc/{process.pid}/maps")
