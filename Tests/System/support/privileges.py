"""What a daemon of root may still do after its start, read from /proc alone."""

import os
import pathlib

from identities import mask
from reading import until

NEEDED = mask("dac_override", "dac_read_search", "setgid", "setuid", "sys_ptrace", "sys_admin", "perfmon")


def statuses(pid):
    """The status of each thread, as dictionaries."""
    found = []
    for thread in os.listdir(f"/proc/{pid}/task"):
        try:
            text = pathlib.Path(f"/proc/{pid}/task/{thread}/status").read_text()
        except OSError:
            continue  # It has ended.
        found.append({key: value.strip() for key, _, value in (line.partition(":") for line in text.splitlines())})
    assert found
    return found


def capabilities(status, name):
    return int(status[f"Cap{name}"], 16)


def is_at_home(status):
    """Whether a thread has its own credentials, not those of a caller."""
    ids = {number for key in ("Uid", "Gid") for number in status[key].split()}
    return ids == {"0"} and not status["Groups"] and capabilities(status, "Eff") == capabilities(status, "Prm") == NEEDED


def check_every_thread_is_at_home(pid):
    """A thread that was left under a caller's credentials would stay so."""
    until(lambda: all(map(is_at_home, statuses(pid))), 10, "the own credentials of all threads")
