"""opening.py PATH: prints the median seconds of open, read and close of a small file."""

import os
import statistics
import sys
import time

path, times = sys.argv[1], []
for _ in range(1000):
    start = time.perf_counter()
    file = os.open(path, os.O_RDONLY)
    os.read(file, 65536)
    os.close(file)
    times.append(time.perf_counter() - start)
print(statistics.median(times))
