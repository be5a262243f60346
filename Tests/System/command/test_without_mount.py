"""`pagefs cat`, `ls` and `tree`: the same tree without a mount. And what `--help` says."""

import os
import re

import pytest

import formats
from identities import NOBODY
from reading import names, outcome, read, run
from views import GIST, VIEWS

pytestmark = pytest.mark.quick


@pytest.fixture
def process(target):
    return target("moving")


def text(pagefs, *arguments):
    return run([pagefs, *arguments])


@pytest.mark.parametrize("slash", ["", "/"], ids=["without a leading slash", "with a leading slash"])
@pytest.mark.parametrize("view", VIEWS)
def test_cat_is_what_the_mount_shows(pagefs, tree, process, view, slash):
    path = f"{process.pid}/vma/{process.facts['range']}/{view}"
    assert GIST[view](text(pagefs, "cat", slash + path)) == GIST[view](read(f"{tree.path}/{path}"))


def without_started(data):
    """A report without the start time: the clock that tells the time of boot is adjusted by milliseconds all the time."""
    return re.sub(rb"(?m)^Started:.*\n", b"", data)


@pytest.mark.parametrize("path", ["README", "legend", "capabilities", "{pid}/info", "{pid}/vma/{range}/raw/pagemap",
                                  "{pid}/at/{start}/info", "{pid}/by-label/stack/info", "by-name/moving/{pid}/info"])
def test_cat_of_other_files(pagefs, mount, process, path):
    mine = mount()
    span = process.facts["range"]
    path = path.format(pid=process.pid, range=span, start=span.split("-")[0])
    assert without_started(text(pagefs, "cat", path)) == without_started(read(f"{mine.path}/{path}")) != b""


PROCESS = {
    "layout": lambda data: [(row.range, row.perms, row.size, row.label, row.name) for row in formats.layout(data)],
    "files": formats.files,
    "summary": lambda data: formats.report(data)["Entries"],
    "pages": lambda data: [row[:3] for row in formats.pages(data)],  # Each reader maps the libraries too.
    **{view: GIST[view] for view in ("ranges", "flags", "mapcounts", "strip", "fill")},
}


@pytest.mark.parametrize("view", PROCESS)
def test_cat_of_a_process(pagefs, tree, process, view):
    shown = PROCESS[view](text(pagefs, "cat", f"{process.pid}/{view}"))
    assert shown and shown == PROCESS[view](read(f"{tree.path}/{process.pid}/{view}"))


@pytest.mark.parametrize("path", ["{pid}", "{pid}/vma", "{pid}/by-label", "{pid}/vma/{range}", "{pid}/vma/{range}/raw", "by-name/moving"])
def test_ls_lists_what_the_mount_lists(pagefs, tree, process, path):
    path = path.format(pid=process.pid, range=process.facts["range"])
    listed = text(pagefs, "ls", path).splitlines()
    shown = names(f"{tree.path}/{path}")
    if path.startswith("by-name"):  # Another process of the name may come or go between the two.
        listed, shown = ([name for name in found if name == str(process.pid).encode()] for found in (listed, shown))
    assert listed == shown != []


def test_ls_of_the_root(pagefs, process):
    for arguments in ["ls"], ["ls", "/"]:
        listed = {line.split()[0] for line in text(pagefs, *arguments).splitlines()}
        assert {b"README", b"legend", b"capabilities", b"status", b"by-name", str(process.pid).encode()} <= listed


def test_tree_shows_what_is_below(pagefs, process):
    shown = text(pagefs, "tree", str(process.pid)).decode()
    for word in ("info", "summary", "vma", process.facts["range"], "letters", "by-label"):
        assert re.search(rf"(^|[\s─/]){re.escape(word)}($|[\s/])", shown, re.M), word
    assert not re.search(r"[\s─/]raw($|[\s/])", shown)


def test_options_count_without_a_mount_too(pagefs, process):
    path = f"{process.pid}/vma/{process.facts['range']}/pages"
    rows = formats.pages(text(pagefs, "cat", "-o", "noscan", path))
    assert len(rows) == 16
    assert GIST["pages"](text(pagefs, "cat", path, "-o", "proc=/proc")) == GIST["pages"](text(pagefs, "cat", path))


@pytest.mark.parametrize("command", ["cat", "ls", "tree"])
@pytest.mark.parametrize("path", ["nonsense", "01/info", "{pid}/vma/1000-2000/pages", "{pid}/nonsense"])
def test_what_is_not_there_is_one_line_and_a_status(pagefs, process, command, path):
    path = path.format(pid=process.pid)
    done = outcome([pagefs, command, path])
    assert done.returncode > 0 and done.stdout == b""
    assert done.stderr.count(b"\n") == 1 and path.encode() in done.stderr and b"No such file" in done.stderr, done.stderr


def test_cat_of_a_folder_and_into_a_closed_pipe(pagefs, process):
    done = outcome([pagefs, "cat", str(process.pid)])
    assert done.returncode > 0 and b"directory" in done.stderr and done.stderr.count(b"\n") == 1
    assert run(["sh", "-c", '"$0" cat "$1/smaps" | head -n 1 >/dev/null; "$0" cat "$1/layout" | head -n 1', pagefs, str(process.pid)])


def test_it_needs_no_device(pagefs, process):
    hide = 'mount -t tmpfs none /dev && mknod -m 666 /dev/null c 1 3 && exec "$@"'
    path = f"{process.pid}/vma/{process.facts['range']}/pages"
    shown = run(["unshare", "--mount", "--propagation", "private", "sh", "-c", hide, "sh", pagefs, "cat", path])
    assert len(formats.pages(shown)) == 16


def test_plain_user_sees_his_own(public_pagefs, target):
    own, other = target("moving", under=NOBODY, cwd="/"), target("moving")
    rows = formats.pages(run([public_pagefs, "cat", f"{own.pid}/pages"], NOBODY))
    assert {row.frame for row in rows if row.state == "present"} == {"?"}
    done = outcome([public_pagefs, "cat", f"{other.pid}/pages"], NOBODY)
    assert done.returncode > 0 and b"Permission denied" in done.stderr and done.stdout == b""


def test_help_has_an_example_of_each_thing(pagefs):
    examples = [line for line in text(pagefs, "--help").decode().splitlines() if re.match(r"  (pagefs|mount|umount|fusermount3) ", line)]
    things = [r"pagefs /\S+", "pagefs -f", "-o ", "proc=", "mount -t", r"(umount|fusermount3 -u) /"]
    for thing in [*things, "pagefs cat", "pagefs ls", "pagefs tree"]:
        assert any(re.search(thing, line) for line in examples), f"no example of {thing}: {examples}"


@pytest.mark.parametrize("command", ["mount", "cat", "ls", "tree"])
def test_help_of_a_command_tells_its_arguments_and_options(pagefs, command):
    shown = text(pagefs, command, "--help").decode()
    for word in "max_age", "cache", "threads", "sizes=exact", "noscan", "proc=":
        assert word in shown, word


def test_version(pagefs):
    assert re.search(rb"\d+\.\d+", text(pagefs, "--version"))
    assert os.access(pagefs, os.X_OK)
