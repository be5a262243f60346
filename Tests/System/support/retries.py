"""Repeating a look at what the kernel changes by itself: always bounded, and counted, so that nothing is hidden by it."""

import collections

# Of all tests together: a run that needs more of them fails. A run on a quiet machine needs a few.
MOST = 60

# What was looked at again, and how often.
counts = collections.Counter()


def attempts(most, what):
    """The numbers of at most MOST attempts; each but the first is counted as a retry of WHAT."""
    for number in range(most):
        if number:
            counts[what] += 1
        yield number
