"""A daemon that nobody asks holds nothing of anybody's, and one that has been asked for long has not grown."""

import os
import time

import pytest

from holdings import descriptors
from reading import Reader, cpu_ticks, outcome, program, run, until
from stuck import files_of, usual_times

MIB = 1 << 20
# Look-ups of the simulated day; 10 million take hours.
LOOKUPS = int(os.environ.get("PAGEFS_LOOKUPS", 0))
SHORT = 6  # Seconds, where no number is given.



def rests(mine, seconds=1):
    """Whether the daemon uses no time of the processor for so long; it does not take longer to tell when it does."""
    before, end = cpu_ticks(mine.pid), time.monotonic() + seconds
    until(lambda: cpu_ticks(mine.pid) > before + 1 or time.monotonic() > end, seconds + 5, "the end of the time", step=0.05)
    return cpu_ticks(mine.pid) <= before + 1


def nobody_asks(seconds):
    """Lets time pass in which no test makes a request."""
    end = time.monotonic() + seconds
    until(lambda: time.monotonic() > end, seconds + 5, "the end of the time", step=0.1)


def warmed(mount, target):
    """A daemon that has shown every kind of file once."""
    mine, process = mount(), target("moving")
    usual_times(files_of(f"{mine.path}/{process.pid}", process.facts["range"]))
    return mine


@pytest.mark.timeout(90)
def test_idle_daemon_lets_go_of_500_processes_that_have_ended(mount, target):
    """Within ten seconds it has their descriptors and memory no more, and uses no time."""
    mine, comers = warmed(mount, target), target("comers")
    begin, memory = descriptors(mine), [mine.memory()]
    for _ in range(2):
        pids = comers.tell("begin 500").removeprefix("pids=").split(",")
        run(program("crawl.py", *[f"{mine.path}/{pid}" for pid in pids]), timeout=40)
        assert comers.tell("end") == "ok"
        deadline = time.monotonic() + 10
        until(lambda: descriptors(mine) <= begin + 50, 10, f"no more than {begin} + 50 descriptors")
        bound = min(memory) + 8 * MIB
        until(lambda: mine.memory() <= bound, max(deadline - time.monotonic(), 0.1), f"the return of memory below {bound}")
        memory.append(mine.memory())
    until(lambda: rests(mine), 10, "a second of rest")
    assert descriptors(mine) <= begin + 50 and mine.memory() <= bound


def numbers(reader, mapping):
    """The inode numbers below the working directory of a reader: of directories and of files."""
    directories = {name: reader.call("stat", name)[1] for name in (".", "vma", f"vma/{mapping}", "by-label")}
    files = {name: reader.call("stat", name)[1] for name in ("info", "pages", "layout", f"vma/{mapping}/flags", f"vma/{mapping}/letters")}
    return directories, files


@pytest.mark.timeout(60 + LOOKUPS // 200)
def test_day_of_look_ups_leaves_no_growth_and_no_new_numbers_in_a_held_directory(mount, target):
    mine, comers = warmed(mount, target), target("comers")
    held = target("moving", under=["setarch", "-R"])
    mapping = held.facts["range"]
    with Reader() as reader:
        reader.call("chdir", f"{mine.path}/{held.pid}")
        before = numbers(reader, mapping)

        def visit(part):
            limits = (LOOKUPS // part, LOOKUPS // 100 + 60) if LOOKUPS else (10**9, SHORT // part)
            answer = comers.tell(f"visit {mine.path} {limits[0]} {limits[1]}", limits[1] + 30)
            found = dict(pair.split("=") for pair in answer.split())
            assert found["wrong"] == "0", answer
            return int(found["lookups"])

        open_files = descriptors(mine)
        visit(4)
        until(lambda: descriptors(mine) <= open_files + 50, 10, f"no more than {open_files} + 50 descriptors")
        nobody_asks(1)
        memory = mine.memory()
        count = visit(1)
        assert count >= (LOOKUPS or 1000)
        assert numbers(reader, mapping) == before
        until(lambda: descriptors(mine) <= open_files + 50, 10, f"no more than {open_files} + 50 descriptors")
        until(lambda: mine.memory() <= memory + 3 * MIB, 10, f"the return to {memory} bytes after {count} look-ups")


@pytest.mark.timeout(60)
def test_held_directory_keeps_its_numbers_while_the_daemon_is_idle_and_has_new_ones_for_files_after_exec(mount, target):
    """The program is the same, and so are its addresses: only the address space is another."""
    mine, held = warmed(mount, target), target("moving", under=["setarch", "-R"])
    mapping = held.facts["range"]
    with Reader() as reader:
        reader.call("chdir", f"{mine.path}/{held.pid}")
        before = numbers(reader, mapping)
        nobody_asks(6)
        assert numbers(reader, mapping) == before
        for _ in range(3):
            assert held.tell("exec").split()[1] == f"range={mapping}"
            after = numbers(reader, mapping)
            assert after[0] == before[0]
            assert all(after[1][name] != number for name, number in before[1].items()), after
            before = after
        # Others were asked for meanwhile, and what was held for this one may be gone.
        assert outcome(["ls", "-l", mine.path], timeout=20).returncode in (0, 1)
        nobody_asks(2)
        assert numbers(reader, mapping) == before
