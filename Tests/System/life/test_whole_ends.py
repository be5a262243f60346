"""A process that ends, execs or changes its mappings while it is read: each answer is whole, or it is an errno."""

import errno
import os

import pytest

from mounting import Mount
from reading import Reader, outcome
from running import compiled

# The bar is 1,000 rounds of each kind; a run of the suite has the time for some of them.
ROUNDS = int(os.environ.get("PAGEFS_ROUNDS", "50"))
LARGE_ROUNDS = max(ROUNDS // 6, 8)
MAPPINGS, MANY = 1000, 16_000
SEED = 9
STREAM = 100 << 10  # pages: more than are held at a time

pytestmark = pytest.mark.timeout(60 + ROUNDS)

# What targets/ender.c looks at: `%` is the range of its block of 4,096 pages, `^` that of its last small mapping.
OF_A_PROCESS = ["layout", "files", "vma/", "by-label/", "flags", "mapcounts", "summary", "strip", "fill", "pages", "ranges", "info"]
OF_A_MAPPING = [f"vma/%/{name}" for name in ("pages", "ranges", "flags", "mapcounts", "strip", "fill", "summary", "info", "maps", "smaps")]
OF_THE_LAST = [f"vma/^/{name}" for name in ("info", "maps", "smaps", "summary")]
# Rows and words of these are read when they are asked for, so they tell of a mapping that has gone what is there now.
LIVE = [f"vma/%/{name}" for name in ("letters", "raw/pagemap", "raw/kpageflags", "raw/kpagecount", "raw/kpagecgroup")]
OF_ADDRESSES = ["pages@%", "ranges@%", "flags@%", "mapcounts@%"]
OF_MANY = ["layout", "files", "vma/", "smaps", "flags", "mapcounts", "summary", "strip", "fill", "pages"]


@pytest.fixture(scope="module")
def mine(pagefs, workspace):
    """A mount with the options that users get."""
    one = Mount(pagefs, workspace, [])
    yield one
    one.close()


@pytest.fixture
def look(mine, workspace):
    """Looks at fresh processes while something happens to them, and judges the answers."""

    def run(event, kind, rounds=ROUNDS, mappings=MAPPINGS, mount=mine.path):
        command = [compiled("ender", workspace, "-static"), event, str(rounds), str(SEED), str(mappings), mount, kind]
        done = outcome(command, timeout=50 + ROUNDS)
        said = done.stderr.decode()
        assert done.returncode == 0, said
        numbers = {key: float(value) for key, value in (word.split("=") for word in done.stdout.decode().split())}
        assert numbers["short"] == numbers["wrong"] == 0, f"{numbers}\n{said}"
        assert numbers["whole"] + numbers["new"] + numbers["failed"] == rounds
        assert numbers["whole"] > 0 or rounds < 20, f"no answer at all: {numbers}"
        return numbers

    return run


@pytest.mark.parametrize("kind", OF_A_PROCESS + OF_A_MAPPING + OF_THE_LAST + LIVE + OF_ADDRESSES)
def test_answer_of_a_process_that_is_killed_is_whole_or_an_error(look, kind):
    assert look("kill", kind)["early"] > ROUNDS / 10


@pytest.mark.parametrize("kind", [kind if kind != "smaps" else "vma/^/smaps" for kind in OF_MANY])
def test_answer_of_16000_mappings_whose_process_is_killed_is_whole_or_an_error(look, kind):
    """`smaps` of a process is the kernel's own file, so that of a mapping is looked at instead: it is made from that."""
    assert look("kill", kind, LARGE_ROUNDS, MANY)["early"] > 0


@pytest.mark.parametrize("kind", OF_A_PROCESS + OF_A_MAPPING + OF_THE_LAST + LIVE)
def test_answer_of_a_process_that_execs_is_of_the_old_program_or_the_new_one_or_an_error(look, kind):
    """Files of the two have different numbers: what was looked up before the exec never shows the new program."""
    assert look("exec", kind)["early"] > ROUNDS / 10


@pytest.mark.parametrize("kind", OF_A_PROCESS + OF_A_MAPPING + OF_THE_LAST)
def test_answer_of_a_process_that_unmaps_has_all_that_stays_and_all_or_an_error_of_what_went(look, kind):
    assert look("unmap", kind)["early"] > ROUNDS / 10


@pytest.mark.parametrize("kind", OF_A_PROCESS + OF_THE_LAST)
def test_answer_of_a_process_that_remaps_all_the_time_has_all_that_stays(look, kind):
    look("remap", kind)


@pytest.mark.parametrize("event", ["kill", "exec"])
@pytest.mark.parametrize("kind", ["layout", "flags", "vma/%/pages", "vma/%/raw/pagemap"])
def test_answer_without_the_scan_and_the_cache_is_whole_or_an_error(look, mount, event, kind):
    look(event, kind, mount=mount("-o", "max_age=0,noscan").path)


@pytest.mark.parametrize("options", ["max_age=0", "max_age=1000", "noscan"])
@pytest.mark.parametrize("event, kind", [
    ("kill", "vma/%/pages"), ("kill", "pages@%"), ("kill", "pages"), ("exec", "vma/%/pages"), ("exec", "pages@%"),
    ("exec", "pages"), ("unmap", "vma/%/pages"),
])
def test_stream_whose_process_changes_after_its_first_bytes_goes_on_to_its_end_or_to_ESRCH(mount, target, options, event, kind):
    process = target("equal", STREAM << 12, "touched")
    path = f"{mount('-o', options).path}/{process.pid}/{kind.replace('%', process.facts['range'])}"
    with Reader() as reader:
        handle = reader.open(path)
        text = reader.call("read", handle, 16384)
        if event == "kill":
            process.close()
        else:
            assert process.tell(event).startswith("ready " if event == "exec" else "ok")
        try:
            text += reader.rest(handle)
        except OSError as error:
            assert error.errno in (errno.ESRCH, errno.ENOENT)
            return
    assert text.count(b"\n") - 2 >= STREAM, "the text ends early, without an error"


@pytest.mark.parametrize("kind", ["layout", "vma/", "flags"])
def test_answer_of_a_process_to_which_nothing_happens_is_always_whole(look, kind):
    """What the others tell is not of the driver's making."""
    assert look("none", kind)["whole"] == ROUNDS
