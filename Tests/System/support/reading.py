"""Readers of a mount, each in a child process with a deadline.

The pytest process itself never opens, stats or lists anything below a mount point: a daemon that
hangs would hang it too, and a process that waits for a FUSE reply cannot always be killed.
"""

import ast
import contextlib
import os
import pathlib
import select
import subprocess
import time

from identities import ROOT

PYTHON = "/usr/bin/python3"
PROGRAMS = pathlib.Path(__file__).parents[1] / "programs"


class Hung(AssertionError):
    """A reader that gave no answer in its time."""


def outcome(argv, under=ROOT, timeout=30, stdin=None, **popen):
    """Runs ARGV and returns its CompletedProcess (bytes), whatever its status is."""
    argv = [*under, *argv]
    source = subprocess.DEVNULL if stdin is None else subprocess.PIPE
    popen.setdefault("stdout", subprocess.PIPE)
    popen.setdefault("stderr", subprocess.PIPE)
    if under is not ROOT:
        popen.setdefault("cwd", "/")
    child = subprocess.Popen(argv, stdin=source, **popen)
    try:
        out, err = child.communicate(stdin, timeout=timeout)
    except BaseException as failure:
        child.kill()
        # One that waits for the daemon is freed when the mount is taken down.
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.communicate(timeout=5)
        if isinstance(failure, subprocess.TimeoutExpired):
            raise Hung(f"no answer within {timeout} s: {argv}") from None
        raise
    return subprocess.CompletedProcess(argv, child.returncode, out, err)


def run(argv, under=ROOT, timeout=30, **popen):
    """The standard output of ARGV, which must succeed and write nothing to standard error."""
    done = outcome(argv, under, timeout, **popen)
    assert done.returncode == 0, f"{done.args} ended with {done.returncode}: {done.stderr!r}"
    assert not done.stderr, f"{done.args} complained: {done.stderr!r}"
    return done.stdout


def read(path, under=ROOT, timeout=30):
    """The bytes of a file, as `cat` reads them."""
    return run(["cat", path], under, timeout)


def python(code, *args, under=ROOT, timeout=30):
    """Runs CODE in a child (`args` as bytes, os, errno and sys are at hand) and returns what it assigns to `result`."""
    program = (
        "import errno, os, sys\nargs = [os.fsencode(arg) for arg in sys.argv[1:]]\nresult = None\n"
        f"{code}\nprint(repr(result))\n"
    )
    return ast.literal_eval(run([PYTHON, "-I", "-c", program, *args], under, timeout).decode())


def program(name, *args, folder=PROGRAMS):
    """The command that runs programs/NAME: it holds the text, since who runs it may have no right to read the checkout."""
    interpreter = [PYTHON, "-I", "-c"] if name.endswith(".py") else ["sh", "-c"]
    return [*interpreter, (folder / name).read_text(), *args]


def told(name, *args, under=ROOT, timeout=30, folder=PROGRAMS):
    """The Python value that programs/NAME prints."""
    return ast.literal_eval(run(program(name, *args, folder=folder), under, timeout).decode())


def names(path, under=ROOT, timeout=30):
    """The names in a directory, in the order in which it lists them, as bytes. None of them is looked at."""
    return python("result = os.listdir(args[0])", path, under=under, timeout=timeout)


OPERATIONS = {
    "open": "os.open(args[0], os.O_RDONLY)",
    "write": "os.open(args[0], os.O_WRONLY)",
    "read": "os.read(os.open(args[0], os.O_RDONLY), 65536)",
    "stat": "os.stat(args[0])",
    "lstat": "os.lstat(args[0])",
    "list": "os.listdir(args[0])",
    "readlink": "os.readlink(args[0])",
}


def errno_of(operation, path, *more, under=ROOT, timeout=30):
    """The name of the errno that OPERATION on PATH fails with, or None. OPERATION is a key above or an expression of `args`."""
    code = (
        "try:\n    " + OPERATIONS.get(operation, operation) + "\n"
        "except OSError as error:\n    result = errno.errorcode[error.errno]"
    )
    return python(code, path, *more, under=under, timeout=timeout)


class Reader:
    """A child that makes system calls one after the other when it is told to, and so keeps handles and a working directory.

    It knows the functions of `os` and those of programs/calls.py.
    """

    def __init__(self, under=ROOT, arguments=(), **popen):
        command = [*under, *program("calls.py", *arguments)]
        pipe = subprocess.PIPE
        self.child = subprocess.Popen(command, stdin=pipe, stdout=pipe, cwd="/", **popen)

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.child.kill()
        self.child.communicate(timeout=10)

    def call(self, name, *args, timeout=30, **options):
        """The value of os.NAME in the child; its OSError is raised here."""
        self.child.stdin.write(repr((name, args, options)).encode() + b"\n")
        self.child.stdin.flush()
        readable, _, _ = select.select([self.child.stdout], [], [], timeout)
        if not readable:
            raise Hung(f"no answer within {timeout} s: {name}{args}")
        code, value = ast.literal_eval(self.child.stdout.readline().decode())
        if code is not None:
            raise OSError(code, f"{value}: {name}{args}")
        return value

    def open(self, path, flags=os.O_RDONLY, **options):
        return self.call("open", path, flags, **options)

    def rest(self, handle, size=1 << 17):
        """What is left of a handle, up to its end."""
        pieces = []
        while piece := self.call("read", handle, size):
            pieces.append(piece)
        return b"".join(pieces)


def until(condition, timeout=10, what="the condition", step=0.01):
    """Polls until CONDITION gives something true, and returns that."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"{what} did not come within {timeout} s"
        time.sleep(step)


def seconds(argv, under=ROOT, timeout=30):
    """The wall time of one run of ARGV, whose output is read and dropped."""
    begin = time.monotonic()
    done = outcome(argv, under, timeout, stdout=subprocess.DEVNULL)
    taken = time.monotonic() - begin
    assert done.returncode == 0, f"{done.args} ended with {done.returncode}: {done.stderr!r}"
    return taken


def process_stat(pid):
    """The fields of /proc/PID/stat after the name, so the first is the state."""
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def cpu_ticks(pid):
    """The processor time of a process, of all its threads, in ticks of 10 ms."""
    return sum(map(int, process_stat(pid)[11:13]))


def process_status(pid, key):
    """A value of /proc/PID/status, as text without the unit."""
    with open(f"/proc/{pid}/status") as status:
        for line in status:
            if line.startswith(key + ":"):
                return line.partition(":")[2].strip().removesuffix(" kB")
    raise KeyError(key)
