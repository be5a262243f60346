"""write_shared.py PATH: maps a file, prints its size and how it begins, and writes another beginning."""

import mmap
import os
import sys

area = mmap.mmap(os.open(sys.argv[1], os.O_RDWR), 0)
print([len(area), area[:15].decode()])
area[:15] = b"from the reader"
