"""Mounts by a plain user: the kernel compares the ids of a caller, but neither its namespaces nor what it has given up."""

import ast
import dataclasses

import pytest

import formats
from identities import NOBODY, in_user_namespace
from reading import PYTHON, errno_of, outcome, read, run
from running import compiled

NO_NEW_PRIVILEGES = "the reader has no_new_privs, as under Landlock, and sees only its own process"
VIEWS = ["layout", "pages", "summary", "files", "vma/RANGE/maps", "vma/RANGE/raw/pagemap"]
PROGRAM = """
import errno, os, sys
base, pid, mapping, *views = sys.argv[1:]
def code(action, path):
    try:
        action(path)
    except OSError as error:
        return errno.errorcode[error.errno]
def whole(path):
    with open(path, "rb", buffering=0) as file:
        assert file.read()
found = {view: code(whole, f"{base}/{pid}/{view.replace('RANGE', mapping)}") for view in views}
found["vma"] = code(os.listdir, f"{base}/{pid}/vma")
own = code(whole, f"{base}/self/layout"), code(whole, f"{base}/README")
print((code(whole, f"/proc/{pid}/maps"), set(found.values()), own))
"""


@pytest.fixture
def landlocked(workspace):
    program = compiled("landlocked", workspace)
    if outcome([program, "true"]).returncode == 77:
        pytest.skip("this kernel has no Landlock")
    return [program]


@pytest.fixture
def asked(mount, target):
    """What a caller is told by /proc and by the mount of the same user about another process of that user."""
    plain = mount(under=NOBODY)
    process = target("moving", under=NOBODY, cwd="/")

    def ask(under, *reasons):
        plain.refuses(*reasons)
        command = [*under, PYTHON, "-I", "-c", PROGRAM, plain.path, str(process.pid), process.facts["range"], *VIEWS]
        return ast.literal_eval(run(command).decode())

    assert ask(NOBODY) == (None, {None}, (None, None))
    return ask


def test_reader_in_a_user_namespace_of_his_own_sees_himself_only(asked):
    assert asked(in_user_namespace(NOBODY), "the reader is in another user namespace: its own process only") == ("EACCES", {"EACCES"}, (None, None))


def test_reader_in_a_landlock_domain_sees_himself_only(asked, landlocked):
    assert asked([*NOBODY, *landlocked], NO_NEW_PRIVILEGES) == ("EACCES", {"EACCES"}, (None, None))


def test_reader_with_no_new_privs_may_be_in_a_landlock_domain_and_sees_himself_only(asked, landlocked):
    """Which of them are cannot be known from outside: stricter than /proc, for want of a better way."""
    assert asked(dataclasses.replace(NOBODY, nnp=True), NO_NEW_PRIVILEGES) == (None, {"EACCES"}, (None, None))


@pytest.mark.parametrize("way", ["plain", "async", "polled"])
def test_overridden_credentials_are_refused(mount, target, way):
    """Root, who acts as the user who mounts: he comes in, since the kernel compares the ids of the moment."""
    plain = mount(under=NOBODY)
    plain.refuses("the reader cannot be seen from the daemon's /proc")
    process = target("moving", under=NOBODY, cwd="/")
    ring = target("personality", 65534, 0)
    if "none" in ring.facts:
        pytest.skip(f"this machine has no io_uring for us: {ring.facts['none']}")
    assert ring.tell(f"{way} {plain.path}/README").startswith("shown ")
    for view in VIEWS:
        assert ring.tell(f"{way} {plain.path}/{process.pid}/{view.replace('RANGE', process.facts['range'])}") == "EACCES", view


def test_daemon_itself_is_not_shown_to_its_own_user(mount):
    """It could always read its own page tables, whoever asks."""
    plain = mount(under=NOBODY)
    plain.refuses("only full root may see the daemon itself")
    assert formats.report(read(f"{plain.path}/{plain.pid}/info", NOBODY))["Pid"] == str(plain.pid)
    for view in "layout", "pages", "summary":
        assert errno_of("read", f"{plain.path}/{plain.pid}/{view}", under=NOBODY) == "EACCES", view
