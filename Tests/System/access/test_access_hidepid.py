"""The same where /proc is mounted with hidepid: who may not even see a process sees none in the mount."""

import pytest

import matrix
from cast import TRUSTED
from cells import answers

pytestmark = pytest.mark.timeout(300)

READERS = [
    "root", "root-ptrace", "root-dac", "root-without-capabilities", "1000", "1000-in-groups", "1000-of-trusted-group", "1001",
    "1001-in-trusted-group", "1000+ptrace", "1000+dac", "1000+perfmon+dac", "1000+admin+dac", "setuid-root", "setuid-root-lowered",
    "setuid-1001", "setgid-1001", "fsuid-1000", "user-namespace-of-1000", "user-namespace-of-root-as-1000", "pid-namespace-1000",
    "no-new-privileges-1000+admin", "landlock-1000", "landlock-root", "chroot-1000", "thread-1000-of-root",
]  # fmt: skip
SUBJECTS = [
    "(the tree)", "kernel thread", "root", "1000", "1001", "1000-of-group-1001", "1000-of-trusted-group", "1000-not-dumpable",
    "setuid-root", "setgid-1001", "1000+net_raw", "user-namespace-of-root-as-1000", "user-namespace-of-1000", "pid-namespace-1000",
    "leaderless-1000", "zombie-1000", "the daemon", "itself",
]  # fmt: skip


@pytest.fixture(scope="module", params=matrix.HIDEPID)
def which(request):
    return request.param


@pytest.fixture(scope="module")
def found(which, cast, pagefs, workspace):
    return matrix.run_on(cast, pagefs, workspace, which, (), READERS, SUBJECTS)


def test_nothing_more_is_shown_with_hidepid(found):
    more = [cell for cell in found if cell.category == "MORE"]
    assert not more, "\n".join(["shown against /proc:", *matrix.listing(more)])


def test_every_cell_that_is_not_equal_with_hidepid_is_listed(found, which):
    matrix.check_listed(found, which)


def test_share_of_equal_cells_with_hidepid(found, which):
    share = matrix.share_of_equal(found)
    assert share >= matrix.EQUAL_SHARE[which], "\n".join([f"only {share:.2%} are equal", *matrix.listing(found, which)])


def test_hidepid_hides_and_the_mount_answers(found):
    """Without either of the two, nothing more could not fail."""
    statuses = [cell for cell in found if cell.kind == "read PID/info"]
    hidden = [cell for cell in statuses if cell.proc in ("EPERM", "ENOENT")]
    shown = [cell for cell in statuses if cell.category == "EQUAL" and cell.proc == "shown"]
    assert len(hidden) > len(statuses) // 10 and len(shown) > len(statuses) // 10


def test_the_trusted_group_sees_what_others_do_not(cast, pagefs, workspace):
    """`gid=` counts for groups of any kind."""
    readers = ["1001", "1001-in-trusted-group"]
    found = matrix.run_on(cast, pagefs, workspace, f"hidepid=2,gid={TRUSTED}", (), readers, ["root"])
    shown = {cell.reader: cell for cell in found if cell.kind == "read PID/info"}
    assert shown["1001"].proc == shown["1001"].mount == "ENOENT"
    assert shown["1001-in-trusted-group"].category == "EQUAL" and shown["1001-in-trusted-group"].proc == "shown"


def test_a_hidden_process_is_answered_as_one_that_is_not_there(cast, pagefs, workspace):
    """Else the errno of a refusal told that it is."""
    pattern, absent = ["stat m {}", "stat m {}/vma", "list m {}", "read m {}/info", "access m {}"], 4194303
    with (
        matrix.hidden_proc(workspace, "hidepid=2") as proc,
        matrix.shared_mount(pagefs, workspace, f"proc={proc}") as mount,
        cast.audience(mount, proc, READERS) as audience,
    ):
        for label, (reader, _) in audience.items():
            for subject in cast.subjects.values():
                if answers(reader, [f"stat p {subject.pid}"]) == ["ENOENT"]:
                    hidden, none = ([request.format(pid) for request in pattern] for pid in (subject.pid, absent))
                    assert answers(reader, hidden) == answers(reader, none), (label, subject.label)


def test_files_of_a_process_that_may_not_be_entered_are_not_found(cast, pagefs, workspace):
    """With hidepid=1 the directory is there, but stat of a file in it would tell whether the process is dumpable."""
    with (
        matrix.hidden_proc(workspace, "hidepid=1") as proc,
        matrix.shared_mount(pagefs, workspace, f"proc={proc}") as mount,
        cast.audience(mount, proc, ["1000"]) as audience,
    ):
        reader, _ = audience["1000"]
        pid = cast.subjects["root"].pid
        assert answers(reader, [f"stat p {pid}", f"stat m {pid}"])[0] != "EPERM"
        kernel = answers(reader, [f"stat p {pid}/maps", f"stat p {pid}/status"])
        assert kernel == ["EPERM", "EPERM"]
        names = ["info", "pages", "layout", "pages@1000-2000", "maps", "vma", "at"]
        assert answers(reader, [f"stat m {pid}/{name}" for name in names]) == ["EPERM"] * len(names)
