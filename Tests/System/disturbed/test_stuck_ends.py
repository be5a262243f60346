"""A daemon comes to its end within three seconds, with status 0, whatever the processes that it shows wait for."""

import contextlib
import itertools

import pytest

from mounting import is_mounted
from reading import outcome, read, run, until
from stuck import Crowd, everything, hangs, mute_server, stuck_targets, to_hold
from truth import mappings

pytestmark = pytest.mark.timeout(60)


class World:
    """Readers of a mount that wait for a process which is stuck."""

    def __init__(self, stack, mine, workspace, target):
        self.stack, self.mine, self.workspace, self.target = stack, mine, workspace, target

    def lock(self):
        """Of the memory of a process."""
        stuck = self.stack.enter_context(stuck_targets(self.workspace, 1)).stick()
        return self._readers(everything(f"{self.mine.path}/{stuck.pids[0]}", *stuck.ranges))

    def handles(self):
        """They were opened before the lock was taken."""
        stuck = self.stack.enter_context(stuck_targets(self.workspace, 1, 80_000))
        crowd = self._readers(to_hold(f"{self.mine.path}/{stuck.pids[0]}", stuck.ranges[1]))
        stuck.stick()
        crowd.go()
        return crowd

    def server(self):
        """A file of it is mapped, and it answers no more. What of the process needs no answer has come."""
        server = self.stack.enter_context(mute_server(self.workspace))
        process = self.target("holder", "private", server.file)
        run(["rm", server.file])
        server.silence()
        return self._readers(everything(f"{self.mine.path}/{process.pid}", process.facts["range"]))

    def exec(self):
        """It waits for such a server."""
        server = self.stack.enter_context(mute_server(self.workspace))
        process = self.target("execing", server.file)
        ranges = [one.range for one in mappings(process.pid)][:2]
        server.silence()
        assert process.tell("exec") == "ok"
        until(lambda: hangs(self.workspace, [f"/proc/{process.pid}/maps"]), 5, "an exec that is stuck")
        return self._readers(everything(f"{self.mine.path}/{process.pid}", *ranges))

    def _readers(self, whats):
        return self.stack.enter_context(Crowd(self.workspace, itertools.islice(itertools.cycle(whats), 60)))


@pytest.fixture
def world(mount, target, workspace):
    with contextlib.ExitStack() as stack:
        yield World(stack, mount(), workspace, target)


SITUATIONS = ["lock", "handles", "server", "exec"]


@pytest.mark.quick
@pytest.mark.parametrize("situation", SITUATIONS)
def test_SIGTERM_ends_the_daemon_within_3_s_while_readers_wait(world, situation):
    mine = world.mine
    read(f"{mine.path}/status")
    readers = getattr(world, situation)()
    readers.waiting(0.3)
    assert mine.unmount(timeout=3) == 0
    assert readers.waiting(3) == 0


@pytest.mark.parametrize("situation", SITUATIONS)
def test_lazy_unmount_ends_the_daemon_within_3_s_of_the_last_reader(world, situation):
    """The kernel keeps the connection until those who wait in it are gone; they can be ended as ever."""
    mine = world.mine
    readers = getattr(world, situation)()
    readers.waiting(0.3)
    mine.closed = True
    run(["umount", "-l", mine.path])
    assert None not in readers.end(100)
    ended_by_itself(mine)


@pytest.mark.parametrize("situation", SITUATIONS)
def test_unmount_ends_the_daemon_within_3_s_while_its_own_threads_wait(world, situation):
    mine = world.mine
    readers = getattr(world, situation)()
    readers.waiting(0.3)
    assert None not in readers.end(100)
    mine.closed = True
    until(lambda: outcome(["umount", mine.path]).returncode == 0, 3, "the unmount", step=0.05)
    ended_by_itself(mine)


def ended_by_itself(mine):
    assert mine.proc.wait(3) == 0
    assert not is_mounted(mine.path)
