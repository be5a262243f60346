"""The cache: how old an answer may be, one reader filling for all, a budget, and nothing after exec."""

import subprocess
import time

import pytest

import formats
from identities import NOBODY
from reading import read, run, until
from views import numbers

MIB = 1 << 20


def view(mine, process, name="flags", mapping=None):
    return f"{mine.path}/{process.pid}/vma/{mapping or process.facts['range']}/{name}"


def total(path):
    return sum(row.pages for row in formats.flags(read(path)))


def regrown(process):
    """The mapping has the same range as before, and 8 instead of 16 touched pages."""
    assert process.tell("shrink") == "ok" and process.tell("grow") == "ok"


@pytest.mark.quick
def test_max_age_0_is_always_fresh(mount, target):
    mine, process = mount("-o", "max_age=0"), target("moving")
    for _ in range(10):
        assert total(view(mine, process)) == 16
        regrown(process)
        assert total(view(mine, process)) == 8
        assert process.tell("unmap") == "ok" and process.tell("remap") == "ok"
        assert total(view(mine, process)) == 1
        process.close()
        process = target("moving")
    assert numbers(f"{mine.path}/status")["Cache_hits"] == 0


@pytest.mark.quick
def test_answer_within_max_age_is_from_the_cache_and_says_of_when(mount, target):
    mine, process = mount("-o", "max_age=100000"), target("moving")
    path = view(mine, process)
    first = read(path)
    regrown(process)
    assert read(path) == first


def test_answer_older_than_max_age_is_taken_again(mount, target):
    mine, process = mount("-o", "max_age=300"), target("moving")
    path = view(mine, process)
    first = read(path)
    begin = time.monotonic()
    regrown(process)
    until(lambda: read(path) != first, 10, "a fresh answer")
    assert time.monotonic() - begin < 5
    assert total(path) == 8


def test_many_readers_at_once_are_one_flight(mount, target):
    """Forty readers of one table that takes its time to make: about one miss of each kind that one reader makes."""
    dense = target("dense", 1 << 30)
    mine = mount("-o", "max_age=100000")
    status, path = f"{mine.path}/status", view(mine, dense)
    alone = target("dense", 1 << 30)
    begin = numbers(status)
    read(view(mine, alone))
    one = numbers(status)["Cache_misses"] - begin["Cache_misses"]
    begin = numbers(status)
    readers = [subprocess.Popen(["cat", path], stdout=subprocess.PIPE) for _ in range(40)]
    try:
        texts = {reader.communicate(timeout=60)[0] for reader in readers}
    finally:
        for reader in readers:
            reader.kill()
    assert all(reader.returncode == 0 for reader in readers)
    assert len(texts) == 1 and sum(row.pages for row in formats.flags(texts.pop())) == int(dense.facts["pages"])
    assert 0 < numbers(status)["Cache_misses"] - begin["Cache_misses"] <= one + 1


def test_budget_is_respected(mount, target):
    mine = mount("-o", "cache=1,max_age=100000")
    crowds = [target("mappings", 4000) for _ in range(6)]
    small = mine.memory("VmHWM")
    for crowd in crowds:
        for name in "layout", "files", "flags":
            read(f"{mine.path}/{crowd.pid}/{name}")
    found = numbers(f"{mine.path}/status")
    assert found["Cache_bytes"] <= MIB
    assert found["Cache_evictions"] > 0
    assert mine.memory("VmRSS") - small < 64 * MIB


@pytest.mark.quick
def test_nothing_is_served_after_exec(mount, target):
    mine, process = mount("-o", "max_age=100000"), target("moving")
    for generation in range(1, 11):
        old = process.facts["range"]
        assert total(view(mine, process)) == 16
        assert old.encode() in run(["ls", f"{mine.path}/{process.pid}/vma"])
        answer = process.tell("exec")
        process.facts = dict(word.split("=") for word in answer.split()[1:])
        assert process.facts["generation"] == str(generation)
        new = process.facts["range"]
        listed = run(["ls", f"{mine.path}/{process.pid}/vma"]).decode().split()
        assert new in listed and (old == new or old not in listed)
        assert [row.range for row in formats.layout(read(f"{mine.path}/{process.pid}/layout"))] == listed


def test_nothing_is_served_after_exit(mount, target):
    mine, process = mount("-o", "max_age=100000"), target("moving")
    assert total(view(mine, process)) == 16
    process.close()
    assert run(["sh", "-c", 'cat "$0" 2>&1 || echo refused', view(mine, process)]).endswith(b"No such file or directory\nrefused\n")


def test_cache_of_hidden_frames_is_not_that_of_visible_ones(mount, target):
    """A plain user's mount and root's mount show one process, each with what its reader may see."""
    process = target("moving", under=NOBODY, cwd="/")
    roots, his = mount(), mount(under=NOBODY)
    for _ in range(3):
        assert {row.frame for row in formats.pages(read(view(his, process, "pages"), NOBODY))} == {"?"}
        assert "?" not in {row.frame for row in formats.pages(read(view(roots, process, "pages")))}
