"""Times of whole commands, taken in turns."""

import json
import statistics
import subprocess
import tempfile
import threading
import time

from reading import PYTHON, run


def once(command):
    """Seconds that COMMAND takes, by hyperfine, without a shell and with its output thrown away."""
    with tempfile.NamedTemporaryFile(suffix=".json") as report:
        subprocess.run(
            ["hyperfine", "-N", "--style", "none", "-r", "1", "--export-json", report.name, command],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=120)
        return json.load(report)["results"][0]["times"][0]


def in_turns(commands, runs):
    """The median of each command's seconds; one run of each is thrown away, and they take turns."""
    times = [[] for _ in commands]
    for turn in range(runs + 1):
        for command, mine in zip(commands, times):
            taken = once(command)
            if turn:
                mine.append(taken)
    return [statistics.median(mine) for mine in times]


def together(commands):
    """Seconds of each of several commands started at the same time."""
    times = [0.0] * len(commands)

    def measure(index):
        start = time.perf_counter()
        process = subprocess.Popen(commands[index].split(), stdout=subprocess.DEVNULL)
        # Waiting with a timeout looks only every 50 ms.
        watch = threading.Timer(120, process.kill)
        watch.start()
        assert process.wait() == 0, commands[index]
        times[index] = time.perf_counter() - start
        watch.cancel()

    threads = [threading.Thread(target=measure, args=(index,)) for index in range(len(commands))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times


OPENING = """
import os, statistics, sys, time
path, times = sys.argv[1], []
for _ in range(1000):
    start = time.perf_counter()
    file = os.open(path, os.O_RDONLY)
    os.read(file, 65536)
    os.close(file)
    times.append(time.perf_counter() - start)
print(statistics.median(times))
"""


def opening(path, user=None):
    """The median seconds of open, read and close of a small file, by a user."""
    return float(run([PYTHON, "-c", OPENING, path], user, timeout=60))


IN_ONE_PROCESS = """
import os, sys, time
path, offset, count, rounds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
for _ in range(rounds):
    start = time.perf_counter()
    file = os.open(path, os.O_RDONLY)
    opened = time.perf_counter()
    if count:
        os.pread(file, count, offset)
    else:
        while os.read(file, 1 << 20): pass
    done = time.perf_counter()
    os.close(file)
    print(opened - start, done - opened, time.perf_counter() - start)
"""


def in_one_process(path, rounds, offset=0, count=0):
    """Seconds of open, of reading (all, or COUNT bytes at OFFSET), and of both with close, for each round."""
    done = subprocess.run(
        [PYTHON, "-c", IN_ONE_PROCESS, path, str(offset), str(count), str(rounds)],
        check=True, stdout=subprocess.PIPE, text=True, timeout=120)
    return [tuple(map(float, line.split())) for line in done.stdout.splitlines()]
