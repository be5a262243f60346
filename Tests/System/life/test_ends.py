"""What it must stand: processes that exit, exec or unmap while they are read, and readers that are killed."""

import ast
import errno
import os
import select
import signal
import subprocess
import time

from reading import Hung, Reader, errno_of, outcome, program, run, until

SECONDS = 4  # Of each race.


class Watcher:
    def __init__(self, folder, *ranges):
        pipe = subprocess.PIPE
        self.child = subprocess.Popen(program("watcher.py", folder, *ranges), stdin=pipe, stdout=pipe, stderr=pipe)

    def end(self):
        """How often each kind of answer came; nothing else may have come."""
        try:
            out, err = self.child.communicate(b"end\n", timeout=30)
        except subprocess.TimeoutExpired:
            self.child.kill()
            raise Hung("a reader of a changing process hangs") from None
        assert self.child.returncode == 0, err.decode()
        seen, wrong = ast.literal_eval(out.decode())
        assert not wrong
        assert set(seen) <= {"answers", "ENOENT", "ESRCH"}, seen
        return seen


def race(change):
    """Calls CHANGE until the time is over; returns how often."""
    deadline, rounds = time.monotonic() + SECONDS, 0
    while time.monotonic() < deadline:
        change()
        rounds += 1
    return rounds


def watched(tree, process):
    return Watcher(f"{tree.path}/{process.pid}", process.facts["range"])


def test_process_that_unmaps_and_moves_while_it_is_read(tree, target):
    process = target("moving")
    watcher = watched(tree, process)

    def change():
        assert process.tell("unmap") == "ok"
        assert process.tell("remap") == "ok"
        assert process.tell("shrink") == "ok"
        assert process.tell("grow") == "ok"

    assert race(change) > 10
    assert watcher.end()["answers"] > 10


def test_process_that_execs_while_it_is_read(tree, target):
    process = target("moving")
    watcher = watched(tree, process)

    def change():
        assert process.tell("exec").startswith("ready ")

    assert race(change) > 10
    assert watcher.end()["answers"] > 10


def test_processes_that_exit_while_they_are_read(tree, target):
    """Each of many short lives has a reader from its beginning to beyond its end."""
    watchers, deadline = [], time.monotonic() + SECONDS
    try:
        while time.monotonic() < deadline:
            process = target("moving")
            watchers.append(watched(tree, process))
            if len(watchers) == 4:
                assert set(watchers.pop(0).end()) & {"ENOENT", "ESRCH"}
            process.proc.stdin.write(b"exit\n")
            process.proc.wait(10)
            assert errno_of("lstat", f"{tree.path}/{process.pid}") == "ENOENT"
    finally:
        for watcher in watchers:
            watcher.end()


def test_process_that_is_killed_while_its_pages_stream(tree, target):
    """The stream ends with ESRCH, or with what had been decoded; it never goes on with something else, and nothing hangs."""
    dense = target("dense", 1 << 30)
    path = f"{tree.path}/{dense.pid}/vma/{dense.facts['range']}/pages"
    with Reader() as reader:
        handle = reader.open(path)
        begin = reader.call("read", handle, 65536)
        assert reader.call("fstat", handle)[6] == 0  # It streams.
        dense.proc.send_signal(signal.SIGKILL)
        dense.proc.wait(30)
        rest, ended = [], None
        while ended is None:
            try:
                piece = reader.call("read", handle, 65536)
            except OSError as error:
                ended = error.errno
                break
            if not piece:
                break
            rest.append(piece)
        lines = (begin + b"".join(rest)).decode().splitlines()[2:]
        assert ended in (errno.ESRCH, None)
        assert ended == errno.ESRCH or len(lines) == int(dense.facts["pages"]), "a short answer without an error"
    start, end = (int(part, 16) for part in dense.facts["range"].split("-"))
    addresses = [int(line.split()[0], 16) for line in lines[:-1]]
    assert addresses == list(range(start, start + len(addresses) * 4096, 4096)) and addresses[-1] < end
    assert errno_of("open", path) == "ENOENT"


def test_many_readers_of_everything_at_once_all_come_to_an_end(tree, target):
    """More readers than the daemon has threads, while the process changes under them."""
    process = target("moving")
    command = ["grep", "-r", "-c", "", f"{tree.path}/{process.pid}"]
    readers = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(16)]
    try:
        while any(reader.poll() is None for reader in readers[:4]):
            assert process.tell("unmap") == "ok" and process.tell("remap") == "ok"
        for reader in readers:
            out, err = reader.communicate(timeout=60)
            assert b"/info:" in out and reader.returncode in (0, 2)
            assert all(line.endswith((b"No such file or directory", b"No such process")) for line in err.splitlines()), err
    finally:
        for reader in readers:
            reader.kill()
            reader.communicate(timeout=10)
    assert errno_of("list", f"{tree.path}/{process.pid}") is None


def test_daemon_is_healthy_after_readers_were_killed_midway(tree, target):
    dense = target("dense", 1 << 30)
    path = f"{tree.path}/{dense.pid}/vma/{dense.facts['range']}/pages"
    for number in signal.SIGKILL, signal.SIGINT, signal.SIGTERM, signal.SIGPIPE:
        for _ in range(5):
            reader = subprocess.Popen(["cat", path], stdout=subprocess.PIPE)
            assert select.select([reader.stdout], [], [], 30)[0] and os.read(reader.stdout.fileno(), 4096)
            reader.send_signal(number)
            reader.stdout.close()
            assert reader.wait(10) == -number
    assert outcome(["sh", "-c", 'head -n 1 "$0"', path]).stdout.startswith(b"# ")
    assert run(["ls", tree.path])
    # What the readers had open is closed: no page map of the target is still held.
    held = f"/proc/{tree.pid}/fd"
    until(lambda: not [fd for fd in os.listdir(held) if link(f"{held}/{fd}") == f"/proc/{dense.pid}/pagemap"],
          what="the end of the streams")


def link(path):
    try:
        return os.readlink(path)
    except FileNotFoundError:
        return None
