"""Nobody holds up anybody: mapped files of a server that never answers, and processes stuck in an exec that waits for it."""

import itertools

import pytest

import formats
from holdings import all_given_back, descriptors, held, threads
from reading import names, read, run, until
from stuck import Crowd, everything, files_of, hangs, mute_server, slower, usual_times
from truth import mappings

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def server(workspace):
    with mute_server(workspace) as made:
        yield made


def listings(folder):
    return [f"{folder}/vma", f"{folder}/by-label", f"{folder}/"]


@pytest.mark.quick
@pytest.mark.parametrize("deleted", [True, False], ids=["deleted", "living"])
def test_mapped_file_of_a_server_that_never_answers_costs_its_process_nothing(mount, target, server, deleted):
    """All that is shown of the process comes in its usual time, the server is not asked, and `-` stands for what it would know."""
    process = target("holder", "private", server.file)
    process.tell("read 8")
    if deleted:
        run(["rm", server.file])
    mine = mount("-o", "max_age=0")
    folder = f"{mine.path}/{process.pid}"
    paths = files_of(folder, process.facts["range"]) + listings(folder)
    usual = usual_times(paths)
    before = threads(mine), descriptors(mine)
    server.silence()
    assert not slower(paths, usual)
    # Without a mark of the kernel the file is not deleted, which needs no question.
    known = ["-"] if deleted else ["-", "no"]
    # Nothing is known from before here.
    new = f"{mount('-o', 'max_age=0').path}/{process.pid}"
    assert not slower([path.replace(folder, new) for path in paths], {path.replace(folder, new): time for path, time in usual.items()})
    for place in folder, new:
        (row,) = [row for row in formats.files(read(f"{place}/files", timeout=5)) if row.range == process.facts["range"]]
        assert row.deleted in known and row.path.endswith("/file")
        assert formats.report(read(f"{place}/vma/{process.facts['range']}/info", timeout=5))["Deleted"] in known
        assert b"file" in names(f"{place}/by-label", timeout=5)
        assert next(row.state for row in formats.pages(read(f"{place}/vma/{process.facts['range']}/pages", timeout=5))) == "present"
    until(lambda: threads(mine) <= before[0] and descriptors(mine) <= before[1] + 4, 10, "rest")
    server.speak()
    assert server.asked() == 0


@pytest.mark.parametrize("known", [True, False], ids=["known before", "never seen"])
def test_process_stuck_in_an_exec_slows_nobody_else(mount, target, server, workspace, known):
    """Its own readers can be ended, and a daemon can be started while it is stuck."""
    mine, healthy, process = mount(), target("moving"), target("execing", server.file)
    folder = f"{mine.path}/{healthy.pid}"
    paths = files_of(folder, healthy.facts["range"]) + listings(folder) + [f"{mine.path}/", f"{mine.path}/by-name"]
    usual_times(paths)
    usual = usual_times(paths)
    own = everything(f"{mine.path}/{process.pid}", *[one.range for one in mappings(process.pid)][:2])
    with Crowd(workspace, everything(folder, healthy.facts["range"]) + (own if known else [])) as crowd:
        assert crowd.waiting(20) == 0
    before = threads(mine)
    server.silence()
    assert process.tell("exec") == "ok"
    until(lambda: hangs(workspace, [f"/proc/{process.pid}/stat", f"/proc/{process.pid}/maps"]), 5, "an exec that is stuck")
    with Crowd(workspace, itertools.islice(itertools.cycle(own), 60)) as crowd:
        assert crowd.waiting(0.5) > 10, "the readers of the stuck process have to wait"
        assert not slower(paths, usual)
        assert str(healthy.pid).encode() in names(mine.path, timeout=5)
        assert b"moving" in names(f"{mine.path}/by-name", timeout=5)
        other = mount("-o", "max_age=0")
        assert not slower([path.replace(mine.path, other.path) for path in paths],
                          {path.replace(mine.path, other.path): time for path, time in usual.items()})
        until(lambda: threads(mine) <= before + 2, 3, f"at most two more than {before} threads")
        times = crowd.end()
        assert None not in times, f"{times.count(None)} of {len(times)} readers cannot be ended"
        assert sorted(times)[len(times) * 19 // 20] < 0.05 and max(times) < 1, sorted(times)
        # What a call that has not come back works for is held until it does.
        until(lambda: held(mine)[0] <= 2, 5, "the release of all but two handles")
    server.close()
    assert process._line(10).startswith("ready")
    all_given_back(mine)
    until(lambda: threads(mine) <= before, 5, "the return of all threads")
    with Crowd(workspace, [f"read:{mine.path}/{process.pid}/layout"]) as crowd:
        assert crowd.waiting(5) == 0 and crowd.results()[0].error == 0
