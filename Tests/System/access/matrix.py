"""Every reader against every process and every kind of file: what the mount shows and what /proc shows, side by side.

Run as a program it prints the counts and each cell that is not equal, for /proc as it is and with hidepid:

    python3 Tests/System/access/matrix.py [-o OPTION] [--proc OPTIONS] [--write] [READER…]
"""

import argparse
import collections
import contextlib
import os
import pathlib
import shutil
import sys
import time
import warnings

if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))

import unequal
from cast import TRUSTED, Programs, readers, subjects
from cells import TREE, Subject, compared
from mounting import Mount, make_workspace, unmount_below
from reading import process_status, run
from running import Target, compiled

HERE = pathlib.Path(__file__).parent
# What the daemon says of readers whom it refuses.
REFUSAL = r".*a reader is refused: .*"
UNKNOWN = "without a reason that is known"
CATEGORIES = ["EQUAL", "MORE", "LESS", "ERRNO", "EMPTY", "OTHER"]
AS_IT_IS = "as it is"
HIDEPID = ["hidepid=1", "hidepid=2", f"hidepid=2,gid={TRUSTED}", "hidepid=4"]
# The least share of cells that are equal, of the readers and processes that the tests look at.
EQUAL_SHARE = dict(zip([AS_IT_IS, *HIDEPID], [0.975, 0.938, 0.932, 0.968, 0.484]))


class Cast:
    """The processes that are looked at, and the programs of those that look."""

    def __init__(self, workspace):
        self.jail = os.path.join(workspace, "jail")
        os.makedirs(self.jail, exist_ok=True)
        self.known = os.path.join(self.jail, "known")
        pathlib.Path(self.known).write_bytes(b"known to all" * 1400)
        os.truncate(self.known, 4 * 4096)
        self.programs = Programs(compiled("reader", workspace))
        self.readers = readers(self.programs, self.jail)
        self._running = contextlib.ExitStack()
        self.subjects = {"kernel thread": kernel_thread()}
        programs = Programs(compiled("subject", workspace))
        try:
            for number, (label, (end, steps)) in enumerate(subjects(programs, self.jail).items()):
                name = f"subject-{number}"
                process = Target([programs.plain, end, f"known={self.known}", *steps, f"name={name}"], cwd="/")
                self._running.callback(process.close)
                pid, thread = int(process.facts["pid"]), int(process.facts["thread"])
                mappings = (None, None) if end == "zombie" else (process.facts["file"], process.facts["anon"])
                self.subjects[label] = Subject(label, pid, thread, name, *mappings)
        except BaseException:
            self.close()
            raise

    def close(self):
        self._running.close()

    @contextlib.contextmanager
    def audience(self, mount, proc="/proc", only=None):
        """Readers of a mount and the /proc that it shows: a dictionary label -> (the process, itself as a subject)."""
        with contextlib.ExitStack() as running:
            found = {}
            for number, (label, steps) in enumerate(self.readers.items()):
                if only is not None and label not in only:
                    continue
                name = f"name=reader-{number}"
                trees = [f"roots={proc}:{mount.path}", f"known={self.known}", name]
                process = Target([self.programs.plain, *trees, *steps, name], cwd="/")
                running.callback(process.close)
                pid = int(process.facts["pid"])
                itself = Subject("itself", pid, pid, f"reader-{number}", process.facts["file"], process.facts["anon"])
                found[label] = process, itself
            yield found


def kernel_thread():
    for pid in sorted(int(name) for name in os.listdir("/proc") if name.isdigit()):
        if process_status(pid, "Kthread") == "1" and process_status(pid, "Name").isalnum():
            return Subject("kernel thread", pid, pid, process_status(pid, "Name"), None, None)
    raise AssertionError("no kernel thread is visible here")


def daemon(mount):
    """The daemon as a process that is looked at."""
    lines = pathlib.Path(f"/proc/{mount.pid}/maps").read_text().splitlines()
    mapping = next(line.split() for line in lines if "/" in line)
    label = os.path.basename(mapping[5])
    return Subject("the daemon", mount.pid, mount.pid, process_status(mount.pid, "Name"), mapping[0], mapping[0], label, True)


def cells(cast, mount, proc="/proc", only_readers=None, only_subjects=None, which=None):
    """All cells; those that the list has of WHICH /proc need no second look.

    Process by process, so that what one reader may see is still in every cache when the next one asks.
    """
    found = []
    with cast.audience(mount, proc, only_readers) as audience:
        looked_at = [TREE, *cast.subjects.values(), daemon(mount)]
        looked_at = [one for one in looked_at if only_subjects is None or one.label in only_subjects]
        known = unequal.listed(which, list(audience), [*(one.label for one in looked_at), "itself"]) if which else {}
        for subject in looked_at:
            for label, (reader, _) in audience.items():
                found += compared(label, reader, subject, known)
        if only_subjects is None or "itself" in only_subjects:
            for label, (reader, itself) in audience.items():
                found += compared(label, reader, itself, known)
    return found


def counts(found):
    return collections.Counter(cell.category for cell in found)


def share_of_equal(found):
    """Of the cells whose subject is not the daemon."""
    others = [cell for cell in found if cell.subject != "the daemon"]
    return counts(others)["EQUAL"] / len(others)


def check_listed(found, which):
    """Fails on a cell that is not equal and not listed; tells of listed ones that are equal now."""
    readers, subjects = (list(dict.fromkeys(cell[column] for cell in found)) for column in (0, 1))
    new, gone = unequal.news(found, unequal.listed(which, readers, subjects))
    if gone:
        warnings.warn(f"/proc {which}: {len(gone)} cells of the list are equal now, such as {gone[:5]}", stacklevel=2)
    assert not new, "\n".join([f"/proc {which}: {len(new)} cells are not equal and not listed:", *listing(new, which)])


def reason(which, cell):
    """Why a cell of WHICH /proc is not equal."""
    if cell.subject == "the daemon":
        return "the daemon is visible to full root only"
    if cell.subject == "itself" and cell.kind.startswith("listed "):
        return "in a listing there is no exception for the reader itself"
    if cell.kind.startswith("access "):
        return "credentials that are taken on for one call are refused"
    if which == "hidepid=4" and cell.category == "ERRNO" and cell.mount == "ENOENT":
        return "with hidepid=4 /proc answers EPERM of a process that its cache has by another reader's look, the mount never does"
    for prefix, words in {
        "no-new-privileges": "with no_new_privs only the process itself",
        "landlock": "with no_new_privs only the process itself",
        "1000+net_raw": "a capability that the daemon has given up",
        "chroot": "another root directory is refused",
    }.items():
        if cell.reader.startswith(prefix) and cell.category in ("LESS", "EMPTY", "ERRNO"):
            return words
    return UNKNOWN


def listing(found, which=AS_IT_IS):
    """The cells that are not equal, by reason, as lines."""
    groups = collections.defaultdict(list)
    for cell in found:
        if cell.category != "EQUAL":
            groups[reason(which, cell), cell.category, f"/proc: {cell.proc}, mount: {cell.mount.partition(',')[0]}"].append(cell)
    for (why, category, answers), members in sorted(groups.items()):
        yield f"{len(members):5} {category:6}{why}; {answers}"
        for who, labels, names in unequal.grouped(members):
            yield f"            {', '.join(who)} -> {', '.join(labels)}: {', '.join(names)}"


@contextlib.contextmanager
def hidden_proc(workspace, options):
    """Another /proc, with these options."""
    folder = os.path.join(workspace, "proc-" + options.replace(",", "-"))
    os.makedirs(folder, exist_ok=True)
    run(["mount", "-t", "proc", "-o", options, "proc", folder])
    try:
        yield folder
    finally:
        run(["umount", "-l", folder])


def run_on(cast, binary, workspace, options, mount_options=(), only_readers=None, only_subjects=None, is_new=False):
    """All cells of a shared mount of /proc with OPTIONS. IS_NEW: without regard to the list of unequal cells."""
    with contextlib.ExitStack() as stack:
        proc = "/proc"
        if options != AS_IT_IS:
            proc = stack.enter_context(hidden_proc(workspace, options))
            mount_options = [f"proc={proc}", *mount_options]
        mount = stack.enter_context(shared_mount(binary, workspace, *mount_options))
        return cells(cast, mount, proc, only_readers, only_subjects, None if is_new else options)


@contextlib.contextmanager
def shared_mount(binary, workspace, *options):
    mount = Mount(binary, workspace, ["-o", ",".join(["allow_other", *options])])
    mount.expects(REFUSAL)
    try:
        yield mount
        mount.finish()
    finally:
        mount.close()


def main():
    parser = argparse.ArgumentParser(description="Compares what a shared mount and /proc show to many readers.")
    parser.add_argument("-o", dest="options", action="append", default=[], help="of the mount")
    parser.add_argument("--proc", action="append", choices=[AS_IT_IS, *HIDEPID], help="which /proc; all by default")
    parser.add_argument("--write", action="store_true", help="write the list of unequal cells, of all readers and processes")
    parser.add_argument("readers", nargs="*", help="all by default")
    given = parser.parse_args()
    binary = os.environ.get("PAGEFS", str(HERE.parents[2] / ".build/release/pagefs"))
    workspace = make_workspace()
    results = {}
    cast = Cast(workspace)
    try:
        for proc in given.proc or [AS_IT_IS, *HIDEPID]:
            begin = time.monotonic()
            results[proc] = run_on(cast, binary, workspace, proc, given.options, given.readers or None, is_new=given.write)
            print(f"/proc {proc}: {time.monotonic() - begin:.1f} s", file=sys.stderr)
    finally:
        cast.close()
        unmount_below(workspace)
        shutil.rmtree(workspace, ignore_errors=True)
    print(f"{'/proc':22}{'cells':>7}" + "".join(f"{name:>7}" for name in CATEGORIES) + "  equal without the daemon's")
    for name, found in results.items():
        numbers = counts(found)
        line = "".join(f"{numbers[category]:7}" for category in CATEGORIES)
        print(f"{name:22}{len(found):7}{line}  {share_of_equal(found):.2%}")
    for name, found in results.items():
        print(f"\n/proc {name}: what is not equal")
        print("\n".join(listing(found, name)))
    if given.write:
        unequal.write(results, reason)


if __name__ == "__main__":
    main()
