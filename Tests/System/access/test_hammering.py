"""Many readers of different rights at once, for a while: no answer, from whatever cache, is another reader's."""

import json
import subprocess

import pytest

from identities import CAPLESS, NOBODY, OTHER, OWNER, ROOT, Identity, in_user_namespace
from privileges import check_every_thread_is_at_home
from reading import program

SECONDS = 20
CROWD = {
    "root": ROOT,
    "root without capabilities": CAPLESS,
    "owner": OWNER,
    "owner with another group": Identity(1000, 1001),
    "other user": OTHER,
    "nobody": NOBODY,
    "CAP_SYS_PTRACE": Identity(1000, caps=("sys_ptrace",)),
    "CAP_SYS_ADMIN": Identity(1001, caps=("sys_admin",)),
    "CAP_PERFMON": Identity(1001, caps=("perfmon",)),
    "CAP_DAC_READ_SEARCH": Identity(65534, caps=("dac_read_search",)),
    "no_new_privs": Identity(1000, nnp=True),
    "user namespace": in_user_namespace(OWNER),
}
# Whose refusals /proc need not share: it knows whether such a reader is in a Landlock domain, the daemon does not.
STRICTER = {"no_new_privs"}
TARGETS = [ROOT, CAPLESS, OWNER, OTHER, NOBODY, Identity(1000, 1001)]


@pytest.mark.timeout(SECONDS + 120)
def test_twelve_readers_at_once_are_each_shown_what_proc_shows_them(mount, target, spawn):
    shared = mount("-o", "allow_other")
    shared.refuses(
        "the reader is in another user namespace and sees only its own process",
        "the reader has no_new_privs, as under Landlock, and sees only its own process",
    )
    targets = [target("moving", under=under, cwd="/") for under in TARGETS]
    job = {"mount": shared.path, "targets": {one.pid: one.facts["range"] for one in targets}, "seconds": SECONDS}
    members = {}
    for seed, (name, under) in enumerate(CROWD.items()):
        task = json.dumps(job | {"seed": seed, "stricter": name in STRICTER})
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        members[name] = spawn([*under, *program("crowd_member.py", task)], **pipes)
    failures, compared = [], 0
    for name, member in members.items():
        out, err = member.communicate(timeout=SECONDS + 60)
        assert member.returncode == 0 and not err, f"{name}: {err.decode()}"
        result = json.loads(out)
        compared += result["compared"]
        assert not result["changed"], f"{name}: /proc itself has changed its answer"
        failures += [f"{name}: {wrong}" for wrong in result["wrong"]]
        if not result["refused"] and name != "root":
            failures.append(f"{name}: nothing was refused")
    assert not failures, "\n".join(failures)
    assert compared > 12 * 100
    check_every_thread_is_at_home(shared.pid)
