"""What the layers of the sources promise: who imports what, and that nothing of a machine or a build is among them."""

import pathlib
import re
import subprocess

import pytest

pytestmark = pytest.mark.quick

ROOT = pathlib.Path(__file__).resolve().parents[3]
SOURCES = sorted((ROOT / "Sources").rglob("*.swift"))

# Modules that only some targets may import.
ONLY_IN = {
    "Glibc": {"Syscalls"},
    "CFuse3": {"FuseBridge"},
    "ArgumentParser": {"pagefs"},
    "Logging": {"FuseBridge", "pagefs"},
    "Foundation": set(),
    "FoundationEssentials": set(),
}


def importers(module):
    pattern = re.compile(rf"^(@\w+ )*((package|internal|private|public) )?import (struct |func )?{module}\b", re.M)
    return {path.relative_to(ROOT / "Sources").parts[0] for path in SOURCES if pattern.search(path.read_text())}


@pytest.mark.parametrize("module", ONLY_IN)
def test_module_is_imported_only_where_it_may_be(module):
    found = importers(module)
    assert found <= ONLY_IN[module]
    assert found or not ONLY_IN[module], f"nothing imports {module}: the pattern or the table is out of date"


@pytest.mark.parametrize("target", ["ProcModel", "ProcText"])
def test_pure_targets_do_no_input_or_output(target):
    allowed = {"ProcModel": set(), "ProcText": {"ProcModel"}}[target]
    for path in (ROOT / "Sources" / target).glob("*.swift"):
        assert set(re.findall(r"^import (\w+)", path.read_text(), re.M)) <= allowed, path


def test_generated_documents_are_those_of_the_program(pagefs):
    variables = {"PAGEFS": str(pathlib.Path(pagefs).resolve()), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(["scripts/docs", "--check"], cwd=ROOT, capture_output=True, timeout=60, env=variables)
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
