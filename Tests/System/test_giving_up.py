"""Who stops reading, dies or gets a signal ends the work for him, and is not kept waiting."""

import signal
import statistics
import subprocess

import pytest

from holdings import all_given_back, folder
from reading import outcome, until
from running import compiled


def bytes_read(mine):
    """What the daemon has read so far: its work, whatever the machine does besides."""
    with open(f"/proc/{mine.pid}/io") as file:
        return int(file.readline().split()[1])


def at_rest(mine):
    """Waits until the daemon reads nothing any more, for a tenth of a second."""
    for _ in range(50):
        before = bytes_read(mine)
        try:
            until(lambda: bytes_read(mine) != before, 0.1)
        except AssertionError:
            return before
    raise AssertionError("the daemon goes on working for nobody")


@pytest.mark.parametrize("order", [(), ("random",)])
def test_reader_that_stops_early_stops_the_work(mount, target, order):
    mine, process = mount("-o", "max_age=0"), target("dense", 1 << 30, *order)
    path = f"{folder(mine, process)}/pages"
    begin = at_rest(mine)
    outcome(["cat", path], stdout=subprocess.DEVNULL)
    whole = at_rest(mine) - begin
    assert whole > int(process.facts["pages"]) * 8
    begin = at_rest(mine)
    assert outcome(["head", "-n", "3", path]).stdout.count(b"\n") == 3
    assert at_rest(mine) - begin < whole / 8
    all_given_back(mine)


LONG = {
    "flags of 1 GiB": ("dense", 1 << 30, "vma/{range}/flags"),
    "pages in random order": ("dense", 1 << 30, "random", "vma/{range}/pages"),
    "layout of 1 GiB": ("dense", 1 << 30, "layout"),
    "layout of 60,000 mappings": ("mappings", 60_000, "layout"),
    "flags of 60,000 mappings": ("mappings", 60_000, "flags"),
}


@pytest.fixture
def long(target):
    """Starts the target of a row of LONG; what is below the folder of its process."""

    def start(kind):
        *what, path = LONG[kind]
        process = target(*what)
        return f"{process.pid}/{path.format(**process.facts)}"

    return start


@pytest.mark.parametrize("kind", ["flags of 1 GiB", "pages in random order", "layout of 60,000 mappings"])
def test_reader_that_is_killed_leaves_no_thread_busy_and_no_handle(mount, long, kind):
    mine = mount("-o", "max_age=0,threads=1")
    path = f"{mine.path}/{long(kind)}"
    begin = at_rest(mine)
    outcome(["cat", path], stdout=subprocess.DEVNULL)
    whole = at_rest(mine) - begin
    least = whole
    for _ in range(5):
        begin = at_rest(mine)
        reader = subprocess.Popen(["cat", path], stdout=subprocess.DEVNULL)
        until(lambda: bytes_read(mine) - begin > whole / 10, 10, "the begin of the work", step=0.001)
        reader.send_signal(signal.SIGKILL)
        reader.wait(5)
        least = min(least, at_rest(mine) - begin)
        all_given_back(mine)
    assert least < whole * 0.8


def impatience(workspace, count, delay, how, path):
    """Milliseconds from a signal to EINTR, for five of COUNT readers of a path, or None where one was done before."""
    argv = [compiled("impatient", workspace), str(count), str(delay), how, path]
    found = [int(word) for word in outcome(argv, timeout=60).stdout.split()]
    assert len(found) == min(count, 5) and min(found) >= -1, found
    return [None if value < 0 else value / 1000 for value in found]


def check_patience(times):
    """The best is strict, the others allow for a machine that is busy; none waits for what others are waiting for."""
    assert len(times) >= 3, "all were done before they were interrupted"
    assert min(times) < 10 and statistics.median(times) < 40 and max(times) < 1000, times


@pytest.mark.parametrize("kind", LONG)
def test_signal_ends_a_long_open_or_read_within_10_ms(mount, long, workspace, kind):
    mine = mount("-o", "max_age=0,threads=1")
    path = f"{mine.path}/{long(kind)}"
    times = [time for delay in (2, 4, 6, 8, 10, 15, 20, 30) for time in impatience(workspace, 1, delay, "read", path)]
    check_patience([time for time in times if time is not None])
    all_given_back(mine)


# The last ones of 300 wait until the daemon has a thread for them; it takes half a second to have taken them in.
@pytest.mark.parametrize(
    "options, count, delay", [("max_age=0,threads=1", 20, 30), ("max_age=1000", 20, 30), ("max_age=0", 254, 500), ("max_age=0", 300, 500)]
)
def test_signal_ends_the_wait_of_one_among_many(mount, target, workspace, options, count, delay):
    """Also when all threads that there may be are busy, and when it waits for another's answer."""
    mine, process = mount("-o", options), target("dense", 1 << 30)
    times = [time for _ in range(2) for time in impatience(workspace, count, delay, "open", f"{folder(mine, process)}/flags")]
    check_patience([time for time in times if time is not None])
    all_given_back(mine)
