"""The fixtures of tests that look at kinds of mappings one by one."""

import os

import pytest

from exhibits import KINDS, STATES, own_libraries, shown
from running import Target, compiled


@pytest.fixture
def alone(workspace):
    """Starts a target as `target` does, but with libraries that no other process maps: the map counts of the
    system's would move between two looks, since every reader of the mount maps them too."""
    running = []

    def start(name, *args, **options):
        command = own_libraries(compiled(name, workspace), os.path.join(workspace, "libraries"))
        running.append(Target([*command, *map(str, args)], **options))
        return running[-1]

    yield start
    for one in reversed(running):
        one.close()


@pytest.fixture(params=KINDS)
def exhibit(request, alone):
    """Each kind in turn: (pid, mapping)."""
    with shown(request.param, alone) as found:
        yield found


@pytest.fixture(params=STATES)
def known(request, alone):
    """Each kind whose layout is known: (kind, pid, mapping)."""
    with shown(request.param, alone) as found:
        yield request.param, *found
