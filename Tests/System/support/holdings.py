"""What a daemon holds: handles and their bytes as it counts them, descriptors and threads as the kernel does."""

import os

from reading import until
from views import numbers


def folder(mine, process):
    """Of the mapping that a target tells of."""
    return f"{mine.path}/{process.pid}/vma/{process.facts['range']}"


def held(mine):
    """Handles and their bytes, without the handle that tells."""
    found = numbers(f"{mine.path}/status")
    return found["Handles"] - 1, found["Handle_bytes"]


def all_given_back(mine):
    until(lambda: held(mine)[0] == 0, 10, "the release of all handles")
    assert held(mine)[1] < 16384


def threads(mine):
    return len(os.listdir(f"/proc/{mine.pid}/task"))


def descriptors(mine):
    return len(os.listdir(f"/proc/{mine.pid}/fd"))
