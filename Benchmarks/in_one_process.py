"""in_one_process.py PATH OFFSET COUNT ROUNDS: prints the seconds of open, of reading, and of both with close, for each round.

Reads COUNT bytes at OFFSET, or all if COUNT is 0.
"""

import os
import sys
import time

path, offset, count, rounds = sys.argv[1], *map(int, sys.argv[2:])
times = []
for _ in range(rounds):
    start = time.perf_counter()
    file = os.open(path, os.O_RDONLY)
    opened = time.perf_counter()
    if count:
        os.pread(file, count, offset)
    else:
        while os.read(file, 1 << 20):
            pass
    done = time.perf_counter()
    os.close(file)
    times.append((opened - start, done - opened, time.perf_counter() - start))
print(times)
