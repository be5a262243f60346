"""C programs with a known layout, which the tests look at."""

import os
import pathlib
import select
import subprocess
import time

from identities import ROOT

SOURCES = pathlib.Path(__file__).parents[1] / "targets"


def compiled(name, folder, *flags, sources=SOURCES):
    """The program of SOURCES/NAME.c, compiled once a session, with FLAGS for the compiler."""
    program = os.path.join(folder, name)
    if not os.path.exists(program):
        source = sources / f"{name}.c"
        command = ["gcc", "-O1", "-Wall", "-Werror", "-pthread", *flags, "-o", program + ".new", source]
        done = subprocess.run(command, capture_output=True, timeout=60, text=True)
        assert done.returncode == 0, done.stderr
        os.rename(program + ".new", program)
    return program


class Target:
    """A running target: it says `ready key=value …`, then does what it is told, line by line."""

    def __init__(self, command, under=ROOT, ready=30, **popen):
        # A run that is killed takes its targets with it.
        command = [*under, "setpriv", "--pdeathsig", "KILL", "--", *command]
        self.command = command
        self.proc = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, **popen)
        self.pid = self.proc.pid
        self._rest = b""
        try:
            first, *pairs = self._line(ready).split(" ")
            assert first == "ready", f"{command} began with {first!r}"
        except BaseException:
            self.close()
            raise
        self.facts = dict(pair.partition("=")[::2] for pair in pairs if pair)

    def _line(self, timeout):
        deadline = time.monotonic() + timeout
        while b"\n" not in self._rest:
            left = deadline - time.monotonic()
            readable, _, _ = select.select([self.proc.stdout], [], [], max(left, 0))
            assert readable, f"{self.command} said nothing for {timeout} s"
            piece = os.read(self.proc.stdout.fileno(), 65536)
            assert piece, f"{self.command} ended with {self.proc.wait(5)} instead of an answer"
            self._rest += piece
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode("utf-8", "surrogateescape")

    def tell(self, line, timeout=30):
        """Writes one line to the target and returns the line that it answers."""
        self.proc.stdin.write(line.encode("utf-8", "surrogateescape") + b"\n")
        return self._line(timeout)

    def close(self):
        if self.proc.poll() is None:
            self.proc.kill()
        self.proc.wait(30)
        self.proc.stdin.close()
        self.proc.stdout.close()
