"""What it must stand: huge reservations, very many mappings, very many pages."""

import contextlib
import os
import statistics
import subprocess
import time

import pytest

import formats
import truth
from reading import PYTHON, Reader, names, outcome, read, run, seconds
from running import Target, compiled

TIB = 1 << 40
GIB = 1 << 30
MIB = 1 << 20


def available():
    with open("/proc/meminfo") as lines:
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))


def best(argv, runs=3):
    """The shortest of a few runs: what the machine does besides only ever adds."""
    return min(seconds(argv) for _ in range(runs))


# A 16 TiB NORESERVE mapping with 1,000 touched pages.


@pytest.fixture
def reservation(target):
    return target("sparse", 16 * TIB, 1000)


@pytest.mark.parametrize("view", ["pages", "ranges", "flags", "mapcounts", "strip", "fill"])
@pytest.mark.parametrize("level", ["mapping", "process"])
def test_16_TiB_reservation_with_1000_touched_pages_is_read_under_1_s(mount, reservation, view, level):
    mine = mount("-o", "max_age=0")
    folder = f"{mine.path}/{reservation.pid}"
    if level == "mapping":
        folder += f"/vma/{reservation.facts['range']}"
    assert best(["cat", f"{folder}/{view}"]) < 1


def test_16_TiB_reservation_with_1000_touched_pages_is_listed_under_1_s(mount, reservation):
    mine = mount("-o", "max_age=0")
    assert best(["ls", "-lR", f"{mine.path}/{reservation.pid}"]) < 1


@pytest.mark.parametrize("options", ["max_age=0", "max_age=0,noscan"])
@pytest.mark.timeout(240)
def test_16_TiB_reservation_with_1000_touched_pages_shows_every_one(mount, reservation, options):
    """Without the scan the kernel needs its time for 4 billion entries; the answer is the same."""
    mine = mount("-o", options)
    folder = f"{mine.path}/{reservation.pid}/vma/{reservation.facts['range']}"
    start, step = int(reservation.facts["range"].split("-")[0], 16), int(reservation.facts["step"], 16)
    shown = formats.pages(read(folder + "/pages", timeout=120))
    assert [(row.address, row.state) for row in shown] == [(start + k * step, "present") for k in range(1000)]


def test_16_TiB_reservation_with_1000_touched_pages_in_totals_and_picture(mount, reservation):
    mine = mount("-o", "max_age=0")
    folder = f"{mine.path}/{reservation.pid}/vma/{reservation.facts['range']}"
    assert sum(row.pages for row in formats.flags(read(folder + "/flags"))) == 1000
    assert sum(row.pages for row in formats.ranges(read(folder + "/ranges"))) == 1000
    assert formats.map_counts(read(folder + "/mapcounts")) == [("1", 1000, 4000, 4000, 0)]
    picture, _ = formats.strip(read(folder + "/strip"))
    assert picture == "." * 4096  # A million pages in each bucket, of which at most one is touched.
    picture, _ = formats.fill(read(folder + "/fill"))
    assert picture.count("1") == 1000 and picture.count(".") == 3096
    assert int(formats.report(read(folder + "/info"))["Size"].split()[0]) == 16 * TIB // 1024


def test_16_TiB_reservation_with_1000_touched_pages_leaves_the_memory_of_the_daemon_flat(mount, reservation, tmp_path):
    mine = mount()
    folder = f"{mine.path}/{reservation.pid}/vma/{reservation.facts['range']}"

    def round_of_reads():
        for view in "pages", "ranges", "flags", "mapcounts", "strip", "fill", "letters":
            read(f"{folder}/{view}")
        run(["cp", "--sparse=always", f"{folder}/raw/pagemap", str(tmp_path / "copy")])
        run(["ls", "-lR", f"{mine.path}/{reservation.pid}"])

    for _ in range(3):
        round_of_reads()
    before = mine.memory()
    for _ in range(15):
        round_of_reads()
    assert mine.memory() - before < 8 * MIB
    assert mine.memory("VmHWM") < 150 * MIB


# A process with 60,000 mappings.


@pytest.fixture
def crowded(target):
    with open("/proc/sys/vm/max_map_count") as limit:
        if int(limit.read()) < 60_500:
            pytest.skip("vm.max_map_count of this machine does not allow 60,000 mappings")
    return target("mappings", 60_000)


def test_60000_mappings_are_all_listed_in_order_and_none_twice(tree, crowded):
    expected = [mapping.range for mapping in truth.mappings(crowded.pid)]
    assert len(expected) >= 60_000
    assert [os.fsdecode(name) for name in names(f"{tree.path}/{crowded.pid}/vma")] == expected
    assert [row.range for row in formats.layout(read(f"{tree.path}/{crowded.pid}/layout"))] == expected


def test_60000_mappings_are_all_found_by_name(tree, crowded):
    """Each is looked up; a few tell whose they are."""
    expected = [mapping.range for mapping in truth.mappings(crowded.pid)]
    code = "import os, sys; os.chdir(sys.argv[1]); print([name for name in sys.stdin.read().split() if not os.path.isdir(name)])"
    command = [PYTHON, "-I", "-c", code, f"{tree.path}/{crowded.pid}/vma"]
    missing = outcome(command, stdin="\n".join(expected).encode(), timeout=60)
    assert missing.stdout == b"[]\n", (missing.stdout[:500], missing.stderr)
    for mapping in expected[:: len(expected) // 10]:
        assert formats.report(read(f"{tree.path}/{crowded.pid}/vma/{mapping}/info"))["Range"] == mapping


def test_60000_mappings_layout_within_3_times_the_time_of_cat_smaps(mount, crowded):
    mine = mount("-o", "max_age=0")
    ours, kernel = [], []
    for _ in range(7):
        kernel.append(seconds(["cat", f"/proc/{crowded.pid}/smaps"]))
        ours.append(seconds(["cat", f"{mine.path}/{crowded.pid}/layout"]))
    assert statistics.median(ours) <= 3 * statistics.median(kernel), (ours, kernel)


# 8 GiB of touched 4 KiB pages.


@pytest.fixture(scope="module")
def huge(workspace):
    if available() < 11 * GIB:
        pytest.skip(f"needs 8 GiB of memory to touch and room besides, this machine has {available() // GIB} GiB")
    dense = Target([compiled("dense", workspace), str(8 * GIB)], ready=120)
    yield dense
    dense.close()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("options", ["max_age=0", "max_age=0,noscan"])
def test_8_GiB_of_touched_pages_stream_in_a_daemon_under_150_MiB(mount, huge, options):
    dense, mine = huge, mount("-o", options)
    pages = f"{mine.path}/{dense.pid}/vma/{dense.facts['range']}/pages"

    begin = time.monotonic()
    with Reader() as reader:
        first = reader.call("read", reader.open(pages), 65536).decode().splitlines()
    assert time.monotonic() - begin < 5, "the first rows came only after much of the rest"
    assert first[2].split()[0] == dense.facts["range"].split("-")[0]

    count = "NR > 2 { n++; if ($2 != \"present\") odd++ } END { print n, odd + 0 }"
    reader = subprocess.Popen(["awk", count, pages], stdout=subprocess.PIPE)
    peak = 0
    try:
        deadline = time.monotonic() + 200
        while reader.poll() is None:
            peak = max(peak, mine.memory())
            assert time.monotonic() < deadline, "the stream did not end"
            with contextlib.suppress(subprocess.TimeoutExpired):
                reader.wait(0.1)
        assert reader.stdout.read().split() == [dense.facts["pages"].encode(), b"0"]
    finally:
        reader.kill()
        reader.communicate(timeout=10)
    assert peak < 150 * MIB
    assert sum(row.pages for row in formats.flags(read(os.path.dirname(pages) + "/flags", timeout=60))) == 8 * GIB // 4096
    assert mine.memory("VmHWM") < 150 * MIB
