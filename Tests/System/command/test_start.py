"""What it must stand: no device, no helper, no good mount point. One clear line says what to do."""

import os
import pathlib
import shutil

import pytest

from identities import NOBODY
from mounting import is_mounted
from reading import errno_of, outcome, read

pytestmark = pytest.mark.quick

PRIVATE = ["unshare", "--mount", "--propagation", "private", "sh", "-c"]


def check_refusal(done, *words):
    """One line on standard error, with these words; nothing on standard output; no success."""
    text = done.stderr.decode()
    assert done.returncode not in (0, None) and done.returncode > 0, done
    assert done.stdout == b""
    assert text.startswith("pagefs: ") and text.count("\n") == 1 and text.endswith("\n"), text
    for word in words:
        assert str(word) in text, text


@pytest.fixture(params=["", "-f"], ids=["background", "foreground"])
def start(request, pagefs):
    """The arguments of a start."""
    return [pagefs, *request.param.split()]


def test_mount_point_is_missing(start, point):
    check_refusal(outcome([*start, f"{point}/missing"]), f"{point}/missing")


def test_mount_point_is_a_file(start, point):
    file = pathlib.Path(point, "file")
    file.write_text("content")
    check_refusal(outcome([*start, file]), file, "director")
    assert file.read_text() == "content"


def test_mount_point_is_not_empty(start, point):
    pathlib.Path(point, "content").write_text("kept")
    check_refusal(outcome([*start, point]), point, "empty")
    assert os.listdir(point) == ["content"] and not is_mounted(point)


def test_mount_point_is_mounted_already(start, mount):
    mine = mount()
    check_refusal(outcome([*start, mine.path]), mine.path)
    assert read(mine.path + "/README")


@pytest.mark.parametrize("inside", ["by-name", "self", "self/vma"])
def test_mount_point_is_inside_itself(start, mount, inside):
    mine = mount()
    check_refusal(outcome([*start, f"{mine.path}/{inside}"]), mine.path, "inside")
    assert read(mine.path + "/README")


def test_mount_point_is_not_given(start):
    done = outcome(start)
    assert done.returncode > 0 and done.stdout == b"" and done.stderr


def test_no_dev_fuse(start, point):
    hide = 'mount -t tmpfs none /dev && mknod -m 666 /dev/null c 1 3 && exec "$@"'
    check_refusal(outcome([*PRIVATE, hide, "sh", *start, point]), "/dev/fuse")
    assert not is_mounted(point)


def test_dev_fuse_is_no_fuse_device(start, point):
    hide = 'mount --bind /dev/null /dev/fuse && exec "$@"'
    check_refusal(outcome([*PRIVATE, hide, "sh", *start, point]), "fuse")
    assert not is_mounted(point)


@pytest.mark.parametrize("flags", [[], ["-f"]], ids=["background", "foreground"])
def test_no_fusermount3_for_a_plain_user(public_pagefs, point, fuse_device, flags):
    place = shutil.which("fusermount3")
    assert place, "fuse3 is not installed"
    shutil.chown(point, "nobody")
    hide = f'mount --bind /dev/null {os.path.realpath(place)} && exec setpriv --reuid nobody --regid nogroup --clear-groups "$@"'
    check_refusal(outcome([*PRIVATE, hide, "sh", public_pagefs, *flags, point], cwd="/"), "fusermount3")
    assert not is_mounted(point)


def test_plain_user_may_not_use_a_mount_point_of_root(public_pagefs, point, fuse_device):
    done = outcome([public_pagefs, point], NOBODY)
    check_refusal(done, point)
    assert not is_mounted(point)


def test_mount_point_of_a_plain_user_is_closed_to_others(mount):
    """Without allow_other only the user himself gets in, not even root."""
    mine = mount(under=NOBODY)
    assert errno_of("list", mine.path, under=NOBODY) is None
    assert errno_of("list", mine.path) == "EACCES"
