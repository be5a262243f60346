"""The rows of the table: what is done, what it is held against, and the bar, for four cores or more and for two.

Each function measures one or several rows that share a workload, and yields (row number, measured, value): `value` is
held against the bar, `measured` says how it came about.
"""

import array
import contextlib
import os
import pathlib
import statistics
import subprocess
import threading
import time

import timing
from identities import NOBODY, ROOT
from reading import process_status

MIB, GIB, TIB = 1 << 20, 1 << 30, 1 << 40

# Number: (work, against, sense, bar on 4 cores, bar on 2). The value must be at least ("times faster") or at most the bar.
ROWS = {
    1: ("cat pages, dense 1 GiB", "page-types -L -M -N", "times faster", 7, 4),
    2: ("the same", "the raw reads of the four files, one thread", "of its time", 0.45, 0.85),
    3: ("cat pages, touched in random order", "page-types -L -M -N", "times faster", 4, 2.5),
    4: ("cat pages, THP 1 GiB", "page-types -L -M -N", "times faster", 7, 4),
    5: ("cat flags, dense", "page-types -p PID", "times faster", 5, 3),
    6: ("cat pages, 16 TiB, 1,000 touched pages", "page-types -L", "times faster", 500, 500),
    7: ("64 KiB from the middle of letters, 8 GiB", "-", "ms after open", 1, 1),
    8: ("cat summary, 1 GiB", "cat smaps_rollup + an open and read", "of its time", 1.5, 1.5),
    9: ("cat layout, 60,000 mappings", "cat smaps", "of its time", 1.2, 1.2),
    10: ("ls -f vma, 60,000 mappings of a file", "ls -f map_files", "of its time", 1, 1),
    11: ("flags of 4 GiB again within max_age", "the first time", "times faster", 10, 10),
    12: ("find -type f, 500 processes, per entry", "find /proc/[0-9]* -type f", "of its time", 4, 4),
    13: ("four readers of 256 MiB each at once", "four times one", "of its time", 1.1, 1.1),
    14: ("resident memory while 8 GiB stream", "-, without a cache", "MiB", 64, 64),
    15: ("cat pages, 2 GiB", "1 GiB", "of its time", 2.2, 2.2),
    16: ("cat pages, 1 GiB in 2 TiB", "1 GiB in 1 TiB", "of its time", 1.05, 1.05),
    17: ("mean wait of a target for its memory lock", "while smaps is read", "of the added wait", 0.2, 0.2),
    18: ("slowest of the four readers", "the fastest", "of its time", 1.5, 1.5),
    19: ("open, read, close by a plain user, shared mount", "by root, root's own mount", "of its time", 1.5, 1.5),
    20: ("the same by full root, shared mount", "by root, root's own mount", "of its time", 1.2, 1.2),
    21: ("worst wait of a target for its memory lock", "while smaps is read", "of its time", 1, 1),
    22: ("cat pages, 1 GiB in 1,024 places of 2 TiB", "of 1 TiB", "of its time", 1.05, 1.05),
}


def is_met(number, value, cores):
    _, _, sense, four, two = ROWS[number]
    bar = four if cores >= 4 else two
    return value >= bar if sense == "times faster" else value <= bar


def milliseconds(*seconds):
    return " / ".join(f"{value * 1000:.1f}" for value in seconds) + " ms"


def mean_run(target):
    """How many pages in a row have frames in a row, on average: what decides how often frames are read."""
    start, end = (int(part, 16) // 4096 for part in target.facts["range"].split("-"))
    present, runs, before = 0, 0, 0
    with open(f"/proc/{target.pid}/pagemap", "rb", buffering=0) as file:
        for page in range(start, end, 1 << 16):
            words = array.array("Q", os.pread(file.fileno(), min(1 << 16, end - page) * 8, page * 8))
            for word in words:
                if word >> 63:
                    frame = word & (1 << 55) - 1
                    present += 1
                    runs += frame != before + 1
                    before = frame
                else:
                    before = 0
    return present / runs


def in_runs(*targets):
    """The fragmentation that a row was measured with."""
    return ", runs of " + " / ".join(f"{mean_run(target):.1f}" for target in targets) + " frames"


def against_page_types(number):
    def measure(bench, target):
        ours, theirs = timing.in_turns(
            [f"cat {bench.path}/{target.pid}/pages", f"{bench.page_types} -p {target.pid} -L -M -N"], bench.runs)
        yield number, milliseconds(ours, theirs) + in_runs(target), theirs / ours

    return measure


def dense(bench, target):
    folder = f"{bench.path}/{target.pid}"
    pages, flags, summary, small, listing, counts, floor, rollup = timing.in_turns(
        [
            f"cat {folder}/pages", f"cat {folder}/flags", f"cat {folder}/summary", f"cat {bench.path}/README",
            f"{bench.page_types} -p {target.pid} -L -M -N", f"{bench.page_types} -p {target.pid}",
            f"{bench.floor} {target.pid} {target.facts['range']} cgroup", f"cat /proc/{target.pid}/smaps_rollup",
        ], bench.runs)
    trivial = timing.in_turns(["cat /dev/null"], bench.runs)[0]
    trips = max(small - trivial, 0)
    yield 1, milliseconds(pages, listing) + in_runs(target), listing / pages
    yield 2, milliseconds(pages, floor), pages / floor
    yield 5, milliseconds(flags, counts), counts / flags
    yield 8, milliseconds(summary, rollup) + f", trips {trips * 1000:.1f}", (summary - trips) / rollup


def reservation(bench, target):
    ours = timing.in_turns([f"cat {bench.path}/{target.pid}/pages"], bench.runs)[0]
    theirs = timing.once(f"{bench.page_types} -p {target.pid} -L")
    yield 6, milliseconds(ours, theirs), theirs / ours


def mappings(bench, target):
    ours, theirs = timing.in_turns([f"cat {bench.path}/{target.pid}/layout", f"cat /proc/{target.pid}/smaps"], bench.runs)
    yield 9, milliseconds(ours, theirs), ours / theirs


def file_mappings(bench, target):
    ours, theirs = timing.in_turns(
        [f"ls -f {bench.path}/{target.pid}/vma", f"ls -f /proc/{target.pid}/map_files"], bench.runs)
    yield 10, milliseconds(ours, theirs), ours / theirs


def cached(bench, target):
    rounds = timing.in_one_process(f"{bench.kept}/{target.pid}/vma/{target.facts['range']}/flags", 2)
    yield 11, milliseconds(rounds[1][2], rounds[0][2]), rounds[0][2] / rounds[1][2]


def huge_process(bench, target):
    folder = f"{bench.path}/{target.pid}/vma/{target.facts['range']}"
    reads = [timing.in_one_process(f"{folder}/letters", 1, 100 * MIB, 64 << 10)[0] for _ in range(bench.runs)]
    middle = sorted(read for _, read, _ in reads)[len(reads) // 2]
    yield 7, f"open {milliseconds(reads[0][0])}", middle * 1000
    # In a daemon that has done nothing else and keeps nothing.
    with bench.fresh("max_age=0,cache=0") as mount:
        before = int(process_status(mount.pid, "VmHWM")) / 1024
        pages = f"{mount.path}/{target.pid}/vma/{target.facts['range']}/pages"
        subprocess.run(["cat", pages], check=True, stdout=subprocess.DEVNULL, timeout=120)
        peak = int(process_status(mount.pid, "VmHWM")) / 1024
    yield 14, f"VmHWM of the daemon, {before:.0f} MiB at its start", peak


def crawl(bench, _):
    commands = [["find", bench.path, "-type", "f"], ["sh", "-c", "find /proc/[0-9]* -type f"]]
    each = [[], []]
    for _ in range(max(3, bench.runs // 3)):
        for command, mine in zip(commands, each):
            start = time.perf_counter()
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=120)
            mine.append((time.perf_counter() - start) / done.stdout.count(b"\n"))
    ours, theirs = map(statistics.median, each)
    yield 12, f"{ours * 1e6:.1f} / {theirs * 1e6:.1f} us an entry", ours / theirs


def checks(bench, target):
    """What asking with the reader's own rights costs; the file is the kernel's line of a mapping."""
    path = f"{target.pid}/vma/{target.facts['range']}/maps"
    times = [[], [], []]
    for _ in range(max(5, bench.runs)):
        for mine, mount, under in zip(times, (bench.path, bench.shared, bench.shared), (ROOT, ROOT, NOBODY)):
            mine.append(timing.opening(f"{mount}/{path}", under))
    alone, root, user = map(statistics.median, times)
    for number, taken in ((19, user), (20, root)):
        yield number, f"{taken * 1e6:.0f} / {alone * 1e6:.0f} us", taken / alone


def four_readers(bench, targets):
    """Ratios are of one round, in which one reader comes before all four."""
    commands = [f"cat {bench.path}/{target.pid}/pages" for target in targets]
    rounds = []
    for _ in range(bench.runs + 1):
        [alone] = timing.together(commands[:1])
        rounds.append((alone, timing.together(commands)))
    del rounds[0]
    for number, ratio in (13, lambda alone, four: max(four) / (4 * alone)), (18, lambda _, four: max(four) / min(four)):
        alone, four = sorted(rounds, key=lambda one: ratio(*one))[len(rounds) // 2]
        against = 4 * alone if number == 13 else min(four)
        yield number, milliseconds(max(four), against) + " in one round", ratio(alone, four)


def twice(number, fragmentation=False):
    def measure(bench, targets):
        small, large = timing.in_turns([f"cat {bench.path}/{target.pid}/pages" for target in targets], 2 * bench.runs)
        yield number, milliseconds(large, small) + (in_runs(*reversed(targets)) if fragmentation else ""), large / small

    return measure


@contextlib.contextmanager
def looping(command):
    """COMMAND again and again meanwhile."""
    ends = threading.Event()

    def run():
        while not ends.is_set():
            subprocess.run(command.split(), stdout=subprocess.DEVNULL, check=True, timeout=60)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        ends.set()
        thread.join()


def disturbance(bench, target):
    """Means and worst cases of intervals in turns: one worst case alone says more of the machine than of the reader."""

    def wait(seconds=1):
        target.tell("report")
        time.sleep(seconds)
        return [int(word) for word in target.tell("report").split()]

    idle, smaps, ours = [], [], []
    for _ in range(max(3, bench.runs // 2)):
        idle.append(wait())
        with looping(f"cat /proc/{target.pid}/smaps"):
            smaps.append(wait())
        with looping(f"cat {bench.path}/{target.pid}/pages"):
            ours.append(wait())
    (idle_mean, _), (smaps_mean, smaps_worst), (mean, worst) = (
        [statistics.median(one[column] for one in found) for column in (0, 1)] for found in (idle, smaps, ours))
    said = f"mean {idle_mean / 1000:.1f} us idle, {mean / 1000:.1f} pages, {smaps_mean / 1000:.1f} smaps"
    yield 17, said, (mean - idle_mean) / (smaps_mean - idle_mean)
    yield 21, milliseconds(worst / 1e9, smaps_worst / 1e9) + ", medians of intervals of 1 s", worst / smaps_worst


def machine():
    """What the figures were measured on, a line each."""
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    model = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    memory = int(pathlib.Path("/proc/meminfo").read_text().split()[1]) / MIB
    return [f"{os.cpu_count()} x {model}", f"{memory:.0f} GiB", f"Linux {os.uname().release}", time.strftime("%Y-%m-%d")]
