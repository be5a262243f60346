"""Mounts by a plain user: the kernel compares the ids of a caller, but neither its namespaces nor what it has given up."""

import dataclasses

import pytest

import formats
from identities import NOBODY, in_user_namespace
from reading import errno_of, outcome, read, told
from running import compiled

pytestmark = pytest.mark.quick

NO_NEW_PRIVILEGES = "the reader has no_new_privs, as under Landlock, and sees only its own process"
VIEWS = ["layout", "pages", "summary", "files", "vma/RANGE/maps", "vma/RANGE/raw/pagemap"]


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
        views = [f"{plain.path}/{process.pid}/{view.replace('RANGE', process.facts['range'])}" for view in [*VIEWS, "vma/"]]
        kernel, own = [f"/proc/{process.pid}/maps"], [f"{plain.path}/self/layout", f"{plain.path}/README"]
        found = told("probe.py", "1", *kernel, *views, *own, under=under)
        return tuple(set().union(*(found[path] for path in paths)) for paths in (kernel, views, own))

    assert ask(NOBODY) == ({None}, {None}, {None})
    return ask


def test_reader_in_a_user_namespace_of_his_own_sees_himself_only(asked):
    found = asked(in_user_namespace(NOBODY), "the reader is in another user namespace and sees only its own process")
    assert found == ({"EACCES"}, {"EACCES"}, {None})


def test_reader_in_a_landlock_domain_sees_himself_only(asked, landlocked):
    assert asked([*NOBODY, *landlocked], NO_NEW_PRIVILEGES) == ({"EACCES"}, {"EACCES"}, {None})


def test_reader_with_no_new_privs_may_be_in_a_landlock_domain_and_sees_himself_only(asked, landlocked):
    """Which of them are cannot be known from outside: stricter than /proc, for want of a better way."""
    assert asked(dataclasses.replace(NOBODY, nnp=True), NO_NEW_PRIVILEGES) == ({None}, {"EACCES"}, {None})


@pytest.mark.parametrize("way", ["plain", "async", "polled"])
def test_overridden_credentials_are_refused(mount, target, way):
    """Root, who acts as the user who mounts: he comes in, since the kernel compares the ids of the moment."""
    plain = mount(under=NOBODY)
    plain.refuses("the reader is not visible in the daemon's /proc")
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
