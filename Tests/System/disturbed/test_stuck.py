"""Nobody holds up anybody: targets whose memory lock is never given back cost only those who ask for them.

| targets | required |
|---|---|
| 1, with 60 readers of it | others are served as usual; its readers end at a signal; at most 2 more threads |
| 100, with 3 readers each | the same; at most 64 stuck threads in all, then EAGAIN at once; after the thaw all is given back |
"""

import contextlib
import errno
import itertools
import os
import statistics

import pytest

from holdings import all_given_back, descriptors, held, threads
from reading import names, read, until
from stuck import Crowd, Result, as_whole, everything, files_of, slower, stuck_targets, to_hold, usual_times

pytestmark = pytest.mark.timeout(60)

CASES = ["60", "held", "100"]  # 60 readers of one, 60 handles of one that are open before, 3 readers of each of 100.
MANY = 100
STREAMED = 80_000  # Rows of a table that is made while it is read.
MOST = 64  # Stuck threads in all.


class Scene:
    """A mount, a healthy process, stuck ones, and readers of these."""

    def __init__(self, stack, mine, healthy, busy, workspace):
        self.stack, self.mine, self.workspace = stack, mine, workspace
        folder = f"{mine.path}/{healthy.pid}"
        self.healthy = everything(folder, healthy.facts["range"])
        self.others = [*files_of(folder, healthy.facts["range"]), f"{folder}/vma", f"{folder}/by-label", f"{folder}/",
                       f"{mine.path}/{os.getpid()}/layout", f"{mine.path}/{os.getpid()}/files", f"{mine.path}/by-name", f"{mine.path}/"]
        usual_times(self.others)
        self.usual = usual_times(self.others)
        # As many threads as it ever has for others: it keeps them.
        inside = f"{mine.path}/{busy.pid}/vma/{busy.facts['range']}"
        with Crowd(workspace, [f"read:{inside}/{name}" for name in ("flags", "pages", "ranges", "letters")] * 10) as crowd:
            assert crowd.waiting(20) == 0
        all_given_back(mine)
        self.threads, self.descriptors = threads(mine), descriptors(mine)

    def stick(self, case):
        """Stuck targets and their readers: all that there is to read of one, files of one that are open, some of each of many."""
        count = MANY if case == "100" else 1
        self.stuck = self.stack.enter_context(stuck_targets(self.workspace, count, 16 if count == MANY else STREAMED))
        folders = [f"{self.mine.path}/{pid}" for pid in self.stuck.pids]
        kinds = [everything(folder, *self.stuck.ranges) for folder in folders]
        if case == "held":
            kinds = [to_hold(folders[0], self.stuck.ranges[1])]
        if count == MANY:
            kinds = [[what for what in kind if what.startswith("read:") and not what.endswith("/info")] for kind in kinds]
            whats = [kind[(3 * number + index) % len(kind)] for number, kind in enumerate(kinds) for index in range(3)]
        else:
            whats = list(itertools.islice(itertools.cycle(kinds[0]), 60))
        if case == "held":
            self.readers = self.stack.enter_context(Crowd(self.workspace, whats))
            self.stuck.stick()
            self.readers.go()
        else:
            self.stuck.stick()
            self.readers = self.stack.enter_context(Crowd(self.workspace, whats))
        assert self.readers.waiting(0.5) > 20, "the readers of the stuck targets have to wait"
        return self

    def settle(self, most):
        """Waits until no more than MOST threads are there besides those from before, which takes a second or so."""
        until(lambda: threads(self.mine) <= self.threads + most, 5, f"{most} more threads than {self.threads}")


@pytest.fixture
def scene(mount, target, workspace):
    """Ends before the mount does: what is stuck is thawed when the daemon is asked to end."""
    with contextlib.ExitStack() as stack:
        yield lambda *options: Scene(stack, mount(*options), target("dense", 4 << 20), target("dense", 64 << 20), workspace)


def errors(results):
    """The errno of each that is done."""
    return [one.error for one in results if isinstance(one, Result)]


@pytest.mark.parametrize("options", [(), ("-o", "max_age=0,threads=1")], ids=["default", "max_age=0,threads=1"])
@pytest.mark.parametrize("case", CASES)
def test_stuck_targets_slow_nobody_else(scene, target, case, options):
    """Every file of every other process, the list of processes and the list by name; also of a process that is new."""
    here = scene(*options).stick(case)
    assert not slower(here.others, here.usual)
    new = target("moving")
    assert read(f"{here.mine.path}/{new.pid}/vma/{new.facts['range']}/pages", timeout=5).count(b"\n") == 18
    assert str(new.pid).encode() in names(here.mine.path, timeout=5)
    until(lambda: b"moving" in names(f"{here.mine.path}/by-name", timeout=5), 5, "its name")
    with Crowd(here.workspace, here.healthy) as crowd:
        assert crowd.waiting(20) == 0
        refused = {what for what, one in zip(here.healthy, crowd.results()) if one.error}
        assert refused == {what for what in here.healthy if "backing" in what}


@pytest.mark.parametrize("case, batch", [(case, 5) for case in CASES] + [("60", 60)])
def test_readers_of_stuck_targets_end_within_50_ms_of_SIGTERM_or_SIGKILL(scene, case, batch):
    """Nineteen of twenty do; the others, and all where many are ended at once, may have to wait for the processor."""
    here = scene().stick(case)
    times = here.readers.end(batch)
    assert None not in times, f"{times.count(None)} of {len(times)} readers cannot be ended"
    assert statistics.quantiles(times, n=20)[-1] < (0.05 if batch == 5 else 0.25) and max(times) < 1, sorted(times)
    # What a call that has not come back works for is held until it does.
    most = MOST if case == "100" else 2
    until(lambda: held(here.mine)[0] <= most, 5, f"the release of all but {most} handles")
    here.stuck.thaw()
    all_given_back(here.mine)


def test_stuck_target_costs_at_most_two_more_threads(scene):
    here = scene().stick("60")
    here.settle(2)
    assert set(errors(here.readers.results())) <= {0}, "nobody is refused for one stuck target"
    with Crowd(here.workspace, here.readers.whats) as more:
        assert more.waiting(0.5) > 20
        here.settle(2)


def test_100_stuck_targets_cost_at_most_64_threads_then_EAGAIN_at_once(scene):
    here = scene().stick("100")
    here.settle(MOST)
    assert set(errors(here.readers.results())) <= {0, errno.EAGAIN}
    with Crowd(here.workspace, [f"read:{here.mine.path}/{pid}/pages" for pid in here.stuck.pids]) as late:
        waiting = late.waiting(1)
        results = [one for one in late.results() if isinstance(one, Result)]
        assert waiting <= MOST and len(results) >= MANY - MOST
        assert set(errors(results)) == {errno.EAGAIN}
        assert statistics.median(one.taken for one in results) < 50_000 and max(one.taken for one in results) < 1_000_000
        here.settle(MOST)


@pytest.mark.parametrize("case", CASES)
def test_after_the_thaw_readers_have_whole_answers_and_threads_handles_and_descriptors_are_back(scene, case):
    here = scene().stick(case)
    here.stuck.thaw()
    assert here.readers.waiting(20) == 0
    results = here.readers.results()
    with Crowd(here.workspace, here.readers.whats) as again:
        again.go()
        assert again.waiting(20) == 0
        for what, one, now in zip(here.readers.whats, results, again.results()):
            if not (one.error == errno.EAGAIN and case == "100"):
                assert as_whole(what, one, now), (what, one, now)
    here.settle(0)
    all_given_back(here.mine)
    here.stuck.close()
    until(lambda: descriptors(here.mine) <= here.descriptors + 2, 10, f"no more than {here.descriptors} descriptors")
