"""Starting a daemon on a folder of its own, and taking it down whatever happened in between."""

import fcntl
import os
import pathlib
import re
import shutil
import signal
import stat
import subprocess
import tempfile

from identities import ROOT
from reading import outcome, process_stat, process_status, until

PREFIX = "pagefs-test-"


def start_time(pid):
    """Field 22 of /proc/PID/stat; with the pid it tells one process from a later one."""
    return process_stat(pid)[19]


def make_workspace():
    """A folder of this run, enterable by every user, whose name tells whose it is."""
    folder = tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-{start_time(os.getpid())}-")
    os.chmod(folder, 0o755)
    return folder


def unescaped(field):
    """A path of mountinfo, whose blanks and backslashes are written in octal."""
    return field.encode().decode("unicode_escape")


def mounts(kind=None):
    """The mount points of this namespace, the newest first."""
    found = []
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        left, _, right = line.partition(" - ")
        if kind is None or right.split()[0] == kind:
            found.append(unescaped(left.split()[4]))
    return found[::-1]


def is_mounted(path):
    return os.fspath(path) in mounts()


def unmount_below(folder):
    """Detaches whatever is mounted at the folder or inside; a daemon ends when its mount does."""
    for point in mounts():
        if point == os.fspath(folder) or point.startswith(f"{folder}/"):
            outcome(["umount", "-l", point])


def clean_stale():
    """Takes down what runs that were killed left behind: their mounts and their folders."""
    for folder in pathlib.Path(tempfile.gettempdir()).glob(PREFIX + "*-*-*"):
        pid, start, _ = folder.name.removeprefix(PREFIX).split("-", 2)
        try:
            if start_time(int(pid)) == start:
                continue
        except (OSError, ValueError):
            pass
        unmount_below(folder)
        shutil.rmtree(folder, ignore_errors=True)


class Mount:
    """A daemon in the foreground and its mount point."""

    live = []

    def __init__(self, binary, workspace, options, under=ROOT, ready=10, **popen):
        self.options = list(options)
        self.under = under
        self.path = tempfile.mkdtemp(prefix="mount-", dir=workspace)
        self.log = self.path + ".log"
        self.closed = False
        self._expected = []
        command = [binary, "-f", *self.options, self.path]
        if under is not ROOT:
            os.chown(self.path, under.uid, under.group)
            popen.setdefault("cwd", "/")
        # A run that is killed takes its daemons with it, and they unmount.
        command = [*under, "setpriv", "--pdeathsig", "TERM", "--", *command]
        with open(self.log, "wb") as log:
            self.proc = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **popen)
        self.pid = self.proc.pid
        Mount.live.append(self)
        try:
            until(self._answers, ready, f"an answer of {command}")
        except BaseException:
            self.close()
            raise

    def _answers(self):
        assert self.proc.poll() is None, f"pagefs ended with {self.proc.returncode}: {self.complaint()}"
        return outcome(["stat", self.path + "/README"], self.under).returncode == 0

    def complaint(self):
        return pathlib.Path(self.log).read_text(errors="backslashreplace")

    def check(self):
        """Fails when the daemon has ended by itself, with its last words."""
        if not self.closed and self.proc.poll() is not None:
            self.closed = True
            raise AssertionError(f"the daemon ended with {self.proc.returncode}: {self.complaint()}")

    def expects(self, *lines):
        """Names lines of the log as regular expressions: without this an empty log is expected."""
        self._expected += lines

    def refuses(self, *reasons):
        """Expects the line that the log has when the first reader is refused for this reason."""
        self.expects(*(rf"\S+ warning pagefs: \[pagefs\] a reader is refused: {re.escape(reason)}" for reason in reasons))

    def check_log(self):
        """Fails when the daemon has said what no test named."""
        said = self.complaint().splitlines()
        more = [line for line in said if not any(re.fullmatch(pattern, line) for pattern in self._expected)]
        assert not more, f"the log of {self.options} has lines that nobody expected: {more[:10]}"

    def finish(self):
        """The end that a test expects: the daemon lives, ends with status 0 when it is told to, and has said what was named."""
        try:
            self.check()
            if not self.closed:
                status = self.unmount()
                assert status == 0, f"the daemon ended with {status}: {self.complaint()}"
            self.check_log()
        finally:
            self.close()

    def memory(self, key="VmRSS"):
        """A memory value of the daemon, in bytes."""
        return int(process_status(self.pid, key)) * 1024

    def unmount(self, by=signal.SIGTERM, timeout=10):
        """Ends the daemon by a signal; returns its exit status, once the mount point is free."""
        self.proc.send_signal(by)
        status = self.proc.wait(timeout)
        self.closed = True
        assert not is_mounted(self.path), f"{self.path} is still mounted"
        return status

    def close(self):
        """The end in every case: asks, then kills, then detaches."""
        if self in Mount.live:
            Mount.live.remove(self)
        self.closed = True
        if self.proc.poll() is None:
            self.proc.terminate()
            try:
                self.proc.wait(5)
            except subprocess.TimeoutExpired:
                self.proc.kill()
                self.proc.wait(5)
        unmount_below(self.path)


class FuseDevice:
    """/dev/fuse as udev makes it, open to everybody: without udev it belongs to root alone.

    Several runs may need it at once: each holds a shared lock on the note of how it was, the last one puts that back.
    """

    path = "/dev/fuse"
    note = os.path.join(tempfile.gettempdir(), PREFIX + "fuse")

    def __enter__(self):
        while True:
            self.file = open(self.note, "a+")
            fcntl.flock(self.file, fcntl.LOCK_SH)
            if os.path.exists(self.note) and os.path.samestat(os.stat(self.note), os.fstat(self.file.fileno())):
                break
            self.file.close()  # The last run took it away in between.
        self.file.seek(0)
        mode = stat.S_IMODE(os.stat(self.path).st_mode)
        if not self.file.read():
            self.file.write(oct(mode))
            self.file.flush()
        os.chmod(self.path, mode | 0o666)
        return self

    def __exit__(self, *failure):
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.file.close()
            return
        self.file.seek(0)
        os.chmod(self.path, int(self.file.read(), 8))
        os.unlink(self.note)
        self.file.close()
