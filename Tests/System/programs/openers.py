"""openers.py COUNT PATH...: opens COUNT handles, of these paths by turns, and keeps them until stdin ends.

Prints how many it has, and how often each error came. Of a file, whose path does not end in /, it reads the beginning.
"""

import collections
import errno
import os
import resource
import sys

resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
count, *paths = sys.argv[1:]
held, failed = [], collections.Counter()
for number in range(int(count)):
    path = paths[number % len(paths)]
    try:
        held.append(os.open(path, os.O_RDONLY))
        if not path.endswith("/"):
            os.read(held[-1], 4096)
    except OSError as error:
        failed[errno.errorcode[error.errno]] += 1
print((len(held), dict(failed)), flush=True)
sys.stdin.read()
