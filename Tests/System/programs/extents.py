"""extents.py PATH: prints the data of a file as SEEK_DATA and SEEK_HOLE tell it, a list of (begin, end), and the size."""

import errno
import os
import sys

file = os.open(sys.argv[1], os.O_RDONLY)
size = os.fstat(file).st_size
found, at = [], 0
while at < size:
    try:
        begin = os.lseek(file, at, os.SEEK_DATA)
    except OSError as error:
        assert error.errno == errno.ENXIO  # There is no more data.
        break
    at = os.lseek(file, begin, os.SEEK_HOLE)
    assert begin < at <= size
    found.append((begin, at))
print((found, size))
