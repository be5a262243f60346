"""The benchmark: `scripts/bench`. Builds the peers, makes the workloads, compares answers, times in turns, and writes
the table into docs/performance.md."""

import argparse
import contextlib
import os
import pathlib
import shutil
import sys
import types

CHECKOUT = pathlib.Path(__file__).parents[1]
sys.path.insert(0, str(CHECKOUT / "Tests/System/support"))

import answers
import peers
import rows
from identities import NOBODY
from mounting import Mount, clean_stale, make_workspace, unmount_below
from rows import GIB, MIB, TIB
from running import SOURCES, Target, compiled

# Row numbers, targets (program and arguments each), what measures them, and whether answers are compared.
WORKLOADS = [
    ([1, 2, 5, 8], [("dense", GIB)], rows.dense, True),
    ([3], [("dense", GIB, "random")], rows.against_page_types(3), True),
    ([4], [("dense", GIB, "huge")], rows.against_page_types(4), True),
    ([6], [("sparse", 16 * TIB, 1000)], rows.reservation, True),
    ([9], [("mappings", 60_000)], rows.mappings, True),
    ([10], [("mappings", 60_000, "file")], rows.file_mappings, True),
    ([11], [("dense", 4 * GIB)], rows.cached, False),
    ([7, 14], [("dense", 8 * GIB)], rows.huge_process, False),
    ([12], [("sparse", MIB, 16)] * 500, rows.crawl, False),
    ([13, 18], [("dense", 256 * MIB)] * 4, rows.four_readers, False),
    ([15], [("dense", GIB), ("dense", 2 * GIB)], rows.twice(15, fragmentation=True), False),
    ([16], [("sparse", TIB, GIB // 4096, 4096), ("sparse", 2 * TIB, GIB // 4096, 4096)], rows.twice(16), False),
    ([22], [("sparse", TIB, GIB // 4096, GIB, 256), ("sparse", 2 * TIB, GIB // 4096, 2 * GIB, 256)], rows.twice(22), False),
    ([17, 21], [("churn", GIB)], rows.disturbance, False),
    ([19, 20], [("dense", MIB)], rows.checks, False),
]


def start(program, arguments, folder, **options):
    if program == "churn":
        path = compiled(program, folder, f"-I{SOURCES}", sources=CHECKOUT / "Benchmarks")
    else:
        path = compiled(program, folder)
    return Target([path, *map(str, arguments)], ready=60, **options)


def measure(benches, folder, only):
    """Runs the workloads with each build; yields (number, measured, value) of the first and prints what is compared."""
    for numbers, commands, measuring, is_compared in WORKLOADS:
        if only and not only & set(numbers):
            continue
        with contextlib.ExitStack() as stack:
            options = {"under": NOBODY, "cwd": "/"} if measuring is rows.checks else {}
            targets = [start(program, arguments, folder, **options) for program, *arguments in commands]
            for target in targets:
                stack.callback(target.close)
            if is_compared:
                for bench in benches:
                    count, differing = answers.compare(
                        bench.page_types, targets[0].pid, f"{bench.path}/{targets[0].pid}/pages")
                    name = " ".join(map(str, commands[0]))
                    print(f"answers: {name}: {count} pages compared, {len(differing)} differ", flush=True)
                    bench.differing += len(differing)
            workload = targets[0] if len(targets) == 1 else targets
            if len(benches) == 1:
                found = [list(measuring(benches[0], workload))]
            else:
                # There and back, so that what changes with time hits both alike.
                turns = [list(measuring(bench, workload)) for bench in (*benches, *reversed(benches))]
                found = [mean_of(turns[0], turns[3]), mean_of(turns[1], turns[2])]
            for number, measured, value in found[0]:
                report(number, measured, value)
                for other, theirs, against in found[1] if len(found) > 1 else []:
                    if other == number:
                        print(f"{'':3} {'  the other build':45} {against:8.2f} {value / against:8.2f} of it   {'':12} {theirs}", flush=True)
                yield number, measured, value


def mean_of(one, other):
    """Two measurements of the same rows: the mean of the values, and what was measured first."""
    return [(number, measured, (value + again) / 2) for (number, measured, value), (_, _, again) in zip(one, other)]


def report(number, measured, value):
    work, _, sense, *_ = rows.ROWS[number]
    verdict = "met" if rows.is_met(number, value, os.cpu_count()) else "MISSED"
    print(f"{number:3} {work:45} {value:8.2f} {sense:18} {verdict:7} {measured}", flush=True)


def write_table(found, runs):
    """Puts the table between its marks in docs/performance.md."""
    lines = [f"Measured on {', '.join(rows.machine())}; medians of {runs} runs in turns.", ""]
    lines += ["| # | work | against | bar | found | | measured |", "|---|---|---|---|---|---|---|"]
    for number, measured, value in sorted(found):
        work, against, sense, four, two = rows.ROWS[number]
        bar = four if os.cpu_count() >= 4 else two
        verdict = "met" if rows.is_met(number, value, os.cpu_count()) else "**missed**"
        lines.append(f"| {number} | {work} | {against} | {bar} {sense} | {value:.2f} | {verdict} | {measured} |")
    page = CHECKOUT / "docs/performance.md"
    before, _, rest = page.read_text().partition("<!-- table -->\n")
    _, _, after = rest.partition("<!-- end of table -->\n")
    page.write_text(before + "<!-- table -->\n" + "\n".join(lines) + "\n<!-- end of table -->\n" + after)


def bench_of(binary, folder, runs, stack):
    """The mounts of one build, and what they are measured against."""

    @contextlib.contextmanager
    def fresh(options):
        mount = Mount(binary, folder, ["-o", options])
        try:
            yield mount
        finally:
            mount.close()

    cold, kept, shared = (
        stack.enter_context(fresh(options)) for options in ("max_age=0", "max_age=1000", "max_age=0,allow_other"))
    page_types, floor = peers.build()
    return types.SimpleNamespace(
        path=cold.path, kept=kept.path, shared=shared.path, fresh=fresh, runs=runs, page_types=page_types, floor=floor, differing=0)


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Measures pagefs; takes about five minutes.")
    parser.add_argument("--runs", type=int, default=9, help="runs of each command (default 9)")
    parser.add_argument("--only", type=int, nargs="+", metavar="ROW", help="these rows, without writing the table")
    parser.add_argument("--against", metavar="BINARY", help="another build, measured in turns with this one; the table is not written")
    options = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("scripts/bench: only root can read frames; run it as root")
    # After hours of work frames lie in short runs, for all that is compared here, but not to the same harm.
    pathlib.Path("/proc/sys/vm/compact_memory").write_text("1")
    clean_stale()
    folder = make_workspace()
    binaries = [os.environ.get("PAGEFS", str(CHECKOUT / ".build/release/pagefs")), *([options.against] if options.against else [])]
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        stack.callback(unmount_below, folder)
        benches = [bench_of(binary, folder, options.runs, stack) for binary in binaries]
        found = list(measure(benches, folder, set(options.only or ())))
        if not options.only and not options.against:
            write_table(found, options.runs)
    missed = [number for number, _, value in found if not rows.is_met(number, value, os.cpu_count())]
    differing = sum(bench.differing for bench in benches)
    print(f"{len(found)} bars, missed: {missed or 'none'}; pages whose answers differ: {differing}")
    sys.exit(1 if differing or missed else 0)


main()
