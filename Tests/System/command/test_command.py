"""The command: going to the background, ending, starting again, options, and what mount(8) makes of it."""

import os
import pathlib
import shutil
import signal

import pytest

from identities import NOBODY
from mounting import is_mounted, mounts, unmount_below
from reading import Reader, errno_of, outcome, process_stat, process_status, program, read, run, until

pytestmark = pytest.mark.quick


def daemons_of(point):
    """The daemons of a mount point: the processes that have it in their command line."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                words = pathlib.Path(f"/proc/{name}/cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if os.fsencode(point) in words and b"pagefs" in words[0]:
                found.append(int(name))
    return found


def gone(pid):
    try:
        return process_status(pid, "State").startswith("Z")
    except OSError:
        return True


@pytest.fixture
def background(pagefs, point):
    """Starts a daemon in the background; it must answer when the command returns."""

    def start(*arguments, command=None, **popen):
        done = outcome(command or [pagefs, *arguments, point], **popen)
        assert done.returncode == 0, done.stderr
        assert done.stdout == b"" and done.stderr == b""
        assert errno_of("stat", f"{point}/README") is None, "the command returned before the mount answered"
        [daemon] = daemons_of(point)
        return daemon

    yield start
    unmount_below(point)


# In the background.


def test_background_daemon_is_called_pagefs(background):
    daemon = background()
    assert process_status(daemon, "Name") == "pagefs"
    assert outcome(["ps", "-o", "comm=", "-p", str(daemon)]).stdout == b"pagefs\n"


def test_background_daemon_holds_nothing_of_the_caller(background, tmp_path):
    """Neither its descriptors, nor its terminal, session or working directory."""
    (tmp_path / "held").write_text("x")
    held = os.open(tmp_path / "held", os.O_RDONLY)
    os.set_inheritable(held, True)
    try:
        daemon = background(cwd=tmp_path, close_fds=False)
    finally:
        os.close(held)
    links = {name: os.readlink(f"/proc/{daemon}/fd/{name}") for name in os.listdir(f"/proc/{daemon}/fd")}
    assert {links.get(number, "/dev/null") for number in "012"} == {"/dev/null"}
    assert not [link for link in links.values() if str(tmp_path) in link or link.startswith("/dev/pts")]
    assert os.readlink(f"/proc/{daemon}/cwd") == "/"
    assert os.getsid(daemon) != os.getsid(0)
    assert process_stat(daemon)[4] == "0"  # No terminal.


def test_background_start_ends_the_callers_pipe(pagefs, point, background):
    """`pagefs DIR | cat` ends: nobody in the background keeps the pipe open."""
    background(command=["sh", "-c", '"$0" "$1" 2>&1 | cat', pagefs, point])


def test_background_start_survives_the_hangup_of_its_terminal(pagefs, point, background):
    daemon = background(command=["script", "-qec", f"{pagefs} {point}", "/dev/null"])
    assert read(f"{point}/README") and not gone(daemon)


def test_foreground_stays(mount):
    mine = mount()
    assert mine.proc.poll() is None and process_status(mine.pid, "Name") == "pagefs"


def test_external_umount_ends_the_daemon(background, point, mount):
    daemon = background()
    run(["umount", point])
    until(lambda: gone(daemon), what="the end of the daemon")
    mine = mount()
    run(["umount", mine.path])
    assert mine.proc.wait(10) == 0
    mine.close()


# The end.


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_signal_unmounts_cleanly_with_open_files_and_a_shell_inside(mount, target, number):
    process = target("dense", 1 << 28)
    mine = mount()
    folder = f"{mine.path}/{process.pid}"
    with Reader() as reader, Reader() as shell:
        shell.call("chdir", f"{folder}/vma")
        held = [reader.open(path) for path in (f"{mine.path}/README", f"{folder}/pages", f"{folder}/vma/{process.facts['range']}/letters")]
        reader.call("read", held[1], 4096)
        assert mine.unmount(by=number) == 0
        assert not is_mounted(mine.path)
        assert "complain" not in mine.complaint() and "error" not in mine.complaint().lower()
        with pytest.raises(OSError):
            reader.call("pread", held[2], 95, 0)


def test_signal_ends_a_daemon_in_the_background(background, point):
    daemon = background()
    os.kill(daemon, signal.SIGTERM)
    until(lambda: gone(daemon) and not is_mounted(point), what="the end of the daemon")


def test_dead_mount_point_is_replaced_at_the_next_start(pagefs, background, point):
    first = background()
    os.kill(first, signal.SIGKILL)
    until(lambda: gone(first), what="the end of the daemon")
    assert is_mounted(point) and errno_of("stat", point) == "ENOTCONN"
    second = background()
    assert second != first
    assert mounts().count(point) == 1


def test_dead_mount_point_of_a_plain_user_is_replaced_too(mount, public_pagefs):
    mine = mount(under=NOBODY)
    mine.proc.kill()
    mine.proc.wait(10)
    mine.closed = True
    assert errno_of("stat", mine.path, under=NOBODY) == "ENOTCONN"
    done = outcome([public_pagefs, mine.path], NOBODY)
    try:
        assert done.returncode == 0, done.stderr
        assert read(f"{mine.path}/README", NOBODY)
    finally:
        unmount_below(mine.path)


# Options.

ORDERS = {
    "before": lambda point: ["-o", "max_age=7", point],
    "after": lambda point: [point, "-o", "max_age=7"],
    "with a source": lambda point: ["pagefs", point, "-o", "rw,dev,suid,noatime,max_age=7"],
    "with options around a source": lambda point: ["-o", "rw", "pagefs", point, "-o", "nodev,nosuid,noexec,relatime,auto,async,max_age=7"],
    "several times": lambda point: ["-o", "max_age=9", "-o", "noscan", point, "-o", "max_age=7,cache=8,threads=3"],
    "subcommand": lambda point: ["mount", "-o", "max_age=7", point],
}


@pytest.mark.parametrize("order", ORDERS)
def test_options_stand_before_or_after(pagefs, background, point, order):
    background(command=[pagefs, *ORDERS[order](point)])
    options = run(["findmnt", "-n", "-o", "OPTIONS", point]).decode().strip().split(",")
    assert "ro" in options and "rw" not in options
    assert errno_of("os.mkdir(args[0])", f"{point}/new") == "EROFS"


BAD = {
    "unknown option of mount": ["-o", "nonsense"],
    "a rule of access": ["-o", "test_without=daemon"],
    "unknown option": ["--nonsense"],
    "no number": ["-o", "max_age=soon"],
    "negative": ["-o", "cache=-1"],
    "empty": ["-o", "max_age="],
    "overflow": ["-o", "cache=99999999999999999999"],
    "no size": ["-o", "sizes=wrong"],
    "no threads": ["-o", "threads=0"],
    "no proc": ["-o", "proc=/nonexistent"],
    "proc is another folder": ["-o", "proc=/usr"],
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_options_give_one_clear_line(pagefs, point, kind):
    done = outcome([pagefs, *BAD[kind], point])
    text = done.stderr.decode()
    assert done.returncode > 0 and done.stdout == b"" and not is_mounted(point)
    first = text.splitlines()[0]
    culprit = BAD[kind][-1].split("=")[0].lstrip("-")
    assert culprit in first, text
    if not BAD[kind][0].startswith("--"):  # The argument parser adds the usage to what it does not know itself.
        assert text.count("\n") == 1 and text.startswith("pagefs: "), text


# mount(8).



def mounted_by_mount(pagefs, point, *arguments):
    """Size of the README, and source, type and options as the kernel shows them; the daemon must end with the mount."""
    assert shutil.which("mount.fuse3", path="/usr/sbin:/sbin"), "fuse3 is not installed"
    # It clears the environment, so its helper finds only what is installed.
    private = ["unshare", "--mount", "--propagation", "private"]
    shown = run([*private, *program("mounted_by_mount.sh", pagefs, point, *arguments)], cwd="/").decode().split()
    until(lambda: not daemons_of(point), what="the end of the daemon")
    size, source, kind, options = shown
    assert int(size) > 0 and (source, kind) == ("pagefs", "fuse.pagefs")
    return options.split(",")


def test_mount_t_fuse_pagefs(pagefs, point):
    options = mounted_by_mount(pagefs, point, "-t", "fuse.pagefs", "pagefs", point, "-o", "rw,dev,suid,noatime,max_age=5")
    assert "ro" in options and "rw" not in options


def test_fstab_line(pagefs, point, tmp_path):
    fstab = tmp_path / "fstab"
    fstab.write_text(f"pagefs {point} fuse.pagefs defaults,noauto,nosuid,nodev,nofail,x-systemd.automount,max_age=50 0 0\n")
    options = mounted_by_mount(pagefs, point, "--fstab", str(fstab), point)
    assert {"ro", "nosuid", "nodev"} <= set(options)


def test_debug_prints_requests(mount):
    mine = mount("-d")
    mine.expects(".*")
    before = len(mine.complaint())
    assert read(f"{mine.path}/README")
    until(lambda: len(mine.complaint()) > before, what="a line about the request")
