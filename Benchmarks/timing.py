"""Times of whole commands, taken in turns."""

import json
import pathlib
import statistics
import subprocess
import tempfile
import threading
import time

from identities import ROOT
from reading import told

HERE = pathlib.Path(__file__).parent


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


def opening(path, under=ROOT):
    """The median seconds of open, read and close of a small file."""
    return told("opening.py", path, under=under, timeout=60, folder=HERE)


def in_one_process(path, rounds, offset=0, count=0):
    """Seconds of open, of reading (all, or COUNT bytes at OFFSET), and of both with close, for each round."""
    return told("in_one_process.py", path, str(offset), str(count), str(rounds), timeout=120, folder=HERE)
