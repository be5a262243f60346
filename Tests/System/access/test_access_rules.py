"""Each rule that is added to the kernel's own is needed: without it the matrix finds cells that show more."""

import os

import pytest

import matrix

pytestmark = [pytest.mark.timeout(120), pytest.mark.quick]

# Rule: who breaks it, and on what.
RULES = {
    "capabilities": (["user-namespace-of-1000", "user-namespace-of-1000-executed"], ["itself"]),
    "user_namespace": (["user-namespace-of-1000"], ["1000", "1000-of-group-1001"]),
    "daemon": (["nobody", "1000", "1000+ptrace"], ["the daemon"]),
    "no_new_privs": (["landlock-1000", "landlock-1000+ptrace"], ["1000", "1001"]),
    "overridden": (["setuid-root", "setuid-root-lowered"], ["root", "1001"]),
    "root_directory": (["chroot-root", "chroot-1000"], ["1000"]),
}
ITSELF = ["setuid-root-dropped", "setuid-1001-dropped", "setgid-1001", "user-namespace-of-root"], ["itself"]


@pytest.fixture(scope="module")
def without_rule(pagefs):
    """The program that mounts as pagefs does, with a rule left out."""
    binary = os.path.join(os.path.dirname(pagefs), "without-rule")
    assert os.access(binary, os.X_OK), f"{binary} is not there: swift build -c release --product without-rule"
    return binary


def more(found):
    return [cell for cell in found if cell.category == "MORE"]


@pytest.mark.parametrize("rule", RULES)
def test_without_the_rule_more_is_shown(cast, pagefs, without_rule, workspace, rule):
    readers, subjects = RULES[rule]
    assert not more(matrix.run_on(cast, pagefs, workspace, matrix.AS_IT_IS, (), readers, subjects))
    without = matrix.run_on(cast, without_rule, workspace, matrix.AS_IT_IS, [rule], readers, subjects)
    assert more(without), f"the matrix does not notice that {rule} is missing"


def test_without_the_exception_for_itself_less_is_shown(cast, pagefs, without_rule, workspace):
    readers, subjects = ITSELF
    found = matrix.run_on(cast, pagefs, workspace, matrix.AS_IT_IS, (), readers, subjects)
    assert matrix.counts(found)["EQUAL"] == len(found), "\n".join(matrix.listing(found))
    without = matrix.run_on(cast, without_rule, workspace, matrix.AS_IT_IS, ["itself"], readers, subjects)
    assert matrix.counts(without)["LESS"] and not more(without), matrix.counts(without)


def test_nsdeny_refuses_readers_in_other_pid_namespaces(cast, pagefs, workspace):
    readers = ["pid-namespace-root", "1000"]
    found = matrix.run_on(cast, pagefs, workspace, matrix.AS_IT_IS, ["nsdeny"], readers, ["1000"])
    assert not more(found)
    tables = [cell for cell in found if cell.kind in ("read PID/pages", "read PID/layout", "list PID/vma/", "read PID/files")]
    assert {cell.mount for cell in tables if cell.reader == "pid-namespace-root"} == {"EACCES"}
    assert {cell.category for cell in tables if cell.reader == "1000"} == {"EQUAL"}
