"""`layout` and `files` of a process and `info` of a mapping, against maps, smaps and map_files."""

import pytest

import formats
from comparing import agree, in_columns
from reading import names, outcome, read
from truth import mappings
from truth_mappings import Object, escape, files, labels, layout, smaps

pytestmark = pytest.mark.quick

INFO = "Range Size Perms Offset Device Inode Name Deleted Label KernelPageSize MMUPageSize THPeligible VmFlags".split()

PATHS = [b"a b", b"new\nline", b"back\\slash", b"x (deleted)", b"\xff\xfe", b"\\012", b"  two  ", b"tab\t", b"\x01\x7f"]
PATHS += ["ü\u2003x".encode(), b"\xed\xa0\x80", b"c1\xc2\x85"]


@pytest.fixture
def odd(alone, tmp_path):
    """A process that maps files with odd names, one of them deleted meanwhile, and odd memfds."""
    paths = [bytes(tmp_path) + b"/" + name for name in PATHS + [b"gone"]]
    for path in paths:
        with open(path, "wb") as file:
            file.write(b"x" * 4096)
    memories = [b"", b"two words", b".."]
    process = alone("names", *(path.hex() for path in paths), *("memfd:" + name.hex() for name in memories))
    assert not any(place.startswith("none") for place in process.facts.values()), process.facts
    (tmp_path / "gone").unlink()
    return process


def test_layout(tree, alone):
    pid = alone("zoo").pid
    path = f"{tree.path}/{pid}/layout"
    agree(lambda: formats.layout(read(path)), lambda: layout(pid), in_columns)


def test_layout_of_odd_names(tree, odd):
    path = f"{tree.path}/{odd.pid}/layout"
    agree(lambda: formats.layout(read(path)), lambda: layout(odd.pid), in_columns)


def test_files(tree, target):
    pid = target("zoo").pid
    assert formats.files(read(f"{tree.path}/{pid}/files")) == files(pid)


def test_files_of_odd_names(tree, odd):
    rows = formats.files(read(f"{tree.path}/{odd.pid}/files"))
    assert rows == files(odd.pid)
    at = {row.range: row for row in rows}
    for index, name in enumerate(PATHS + [b"gone"]):
        row = at[odd.facts[f"map{index}"]]
        assert row.path.endswith("/" + escape(name, blanks=True))
        assert row.deleted == ("yes" if name == b"gone" else "no")


def test_labels_are_the_names_in_by_label(tree, odd):
    """Each label names one mapping, in address order, and its link leads to that mapping."""
    folder = f"{tree.path}/{odd.pid}/by-label"
    found = [row for row in formats.layout(read(f"{tree.path}/{odd.pid}/layout")) if row.label != "-"]
    assert [name.decode() for name in names(folder)] == [row.label for row in found]
    for row in found:
        assert outcome(["readlink", f"{folder}/{row.label}"]).stdout.decode().strip() == f"../vma/{row.range}"


def test_info_of_a_mapping(tree, exhibit):
    pid, mapping = exhibit
    values = formats.report(read(f"{tree.path}/{pid}/vma/{mapping.range}/info"))
    assert [key for key in values if key in INFO] == INFO
    counters = smaps(pid)[mapping]
    for key in ("Size", "KernelPageSize", "MMUPageSize", "THPeligible"):
        assert values[key].split() == counters[key].split(), key
    thing = Object(pid, mapping)
    everything = mappings(pid)
    label = labels([Object(pid, one).name for one in everything])[everything.index(mapping)]
    assert values["Range"] == mapping.range and values["Perms"].split()[0] == mapping.perms
    assert int(values["Offset"], 16) == mapping.offset
    assert values["Device"] == mapping.device and values["Inode"] == str(mapping.inode)
    assert values["Name"] == (escape(thing.name, blanks=True) or "-") and values["Label"] == label
    if thing.exists:
        assert values["Deleted"] == ("yes" if thing.deleted else "no")
