"""Descriptors that another user holds than the one who opened them: each answers as /proc's own of the same sort does."""

import contextlib
import errno
import os
import struct

import pytest

import formats
from handing import Holder, holders
from identities import NOBODY, OWNER, ROOT
from truth import PAGE, mappings, pagemap_words

STREAMED = 70_000  # Rows: more than are frozen at open.
FRAME = (1 << 55) - 1


@pytest.fixture
def shared(mount):
    return mount("-o", "allow_other")


def bounds(process):
    return tuple(int(part, 16) for part in process.facts["range"].split("-"))


def words(data):
    return struct.unpack(f"={len(data) // 8}Q", data)


def frames(view, data):
    """The frame numbers that a text shows."""
    if view == "raw/pagemap":
        return {word & FRAME for word in words(data) if word >> 63} - {0}
    rows = formats.letters(data, "") if view == "letters" else formats.pages(data)
    return {int(row.frame, 16) for row in rows if row.state in ("P", "present") and set(row.frame) != {"?"}}


def true_frames(process):
    found = {word & FRAME for word in pagemap_words(process.pid, *bounds(process)) if word >> 63}
    assert found and 0 not in found
    return found


def whole(reader, handle):
    """From the beginning, wherever another holder of the same descriptor has read to."""
    reader.call("lseek", handle, 0, os.SEEK_SET)
    return reader.rest(handle)


def kernel_frames(process, giver, taker):
    """What /proc's own page map shows one who was handed it."""
    start, end = bounds(process)
    handle = giver.hand(giver.open(f"/proc/{process.pid}/pagemap"), taker)
    return frames("raw/pagemap", taker.call("pread", handle, (end - start) // PAGE * 8, start // PAGE * 8))


FROZEN = ["layout", "pages@RANGE", "flags", "summary", "vma/RANGE/info", "vma/RANGE/maps", "vma/RANGE/pages"]


@pytest.mark.quick
@pytest.mark.parametrize("view", FROZEN)
def test_text_that_root_opened_is_read_by_whoever_holds_it(shared, target, view):
    """As the maps that root opened: the right was asked for at open."""
    process = target("moving")
    path = f"{shared.path}/{process.pid}/{view.replace('RANGE', process.facts['range'])}"
    with holders(ROOT, NOBODY) as (root, nobody):
        with pytest.raises(PermissionError):
            nobody.open(f"/proc/{process.pid}/maps")
        with pytest.raises(PermissionError):
            nobody.open(path)
        assert nobody.rest(root.hand(root.open(f"/proc/{process.pid}/maps"), nobody))
        handle = root.open(path)
        text = nobody.rest(root.hand(handle, nobody))
        assert text and text == whole(root, handle)


def test_text_stays_readable_for_a_process_that_gives_up_root(shared, target):
    process = target("moving")
    path = f"{shared.path}/{process.pid}/layout"
    with Holder() as reader:
        handles = [reader.open(name) for name in (path, f"/proc/{process.pid}/maps")]
        folder = reader.open(f"{shared.path}/{process.pid}/vma")
        reader.call("become", 65534)
        for handle in handles:
            assert reader.rest(handle)
        with pytest.raises(PermissionError):
            reader.call("entries", folder)
        for name in path, f"/proc/{process.pid}/maps":
            with pytest.raises(PermissionError):
                reader.open(name)


@pytest.mark.parametrize("opener, reader", [(ROOT, NOBODY), (OWNER, ROOT)], ids=["of root", "of the owner"])
def test_stream_goes_on_as_its_opener_would_see_it(shared, target, opener, reader):
    process = target("dense", STREAMED * PAGE, under=OWNER, cwd="/")
    with holders(opener, reader) as (giver, taker):
        handle = giver.open(f"{shared.path}/{process.pid}/vma/{process.facts['range']}/pages")
        assert giver.call("fstat", handle)[6] == 0, "it does not stream"
        begin = giver.call("read", handle, 4096)
        rest = taker.rest(giver.hand(handle, taker))
        shown = frames("pages", begin + rest)
        assert kernel_frames(process, giver, taker) == (true_frames(process) if opener is ROOT else set())
    assert len(formats.pages(begin + rest)) == STREAMED
    assert shown == (true_frames(process) if opener is ROOT else set())


@pytest.mark.parametrize("view", ["letters", "raw/pagemap"])
@pytest.mark.parametrize("opener, reader", [(ROOT, OWNER), (OWNER, ROOT)], ids=["of root", "of the owner"])
def test_rows_that_are_made_at_read_show_the_frames_of_the_opener(shared, target, view, opener, reader):
    process = target("moving", under=OWNER, cwd="/")
    with holders(opener, reader) as (giver, taker):
        handle = giver.open(f"{shared.path}/{process.pid}/vma/{process.facts['range']}/{view}")
        shown = frames(view, taker.rest(giver.hand(handle, taker)))
        truth = kernel_frames(process, giver, taker)
    assert truth == (true_frames(process) if opener is ROOT else set())
    assert shown == truth


@pytest.mark.quick
@pytest.mark.parametrize("folder", ["vma", "by-label"])
@pytest.mark.parametrize("read_on", [False, True], ids=["unread", "half read"])
def test_folder_that_root_opened_is_listed_by_no_one_else(shared, target, folder, read_on):
    """As map_files, which gives away no more than its two dots: who lists is asked for his right, and at every call."""
    process = target("mappings", 2000, "file")
    with holders(ROOT, NOBODY) as (root, nobody):
        for path in f"/proc/{process.pid}/map_files", f"{shared.path}/{process.pid}/{folder}":
            handle = root.open(path, os.O_RDONLY | os.O_DIRECTORY)
            begin = root.call("entries", handle, 2048) if read_on else []
            assert bool(begin) == read_on
            held = root.hand(handle, nobody)
            if path.startswith("/proc/") and not read_on:
                assert nobody.call("entries", held) == [".", ".."]
            for _ in range(3):
                with pytest.raises(PermissionError):
                    nobody.call("entries", held)
            assert root.call("entries", handle), "the refusals have used up what root may read on"


@pytest.mark.parametrize("view", ["layout", "pages", "vma", "vma/RANGE/maps", "vma/RANGE/letters", "vma/RANGE/raw/pagemap"])
def test_path_handle_that_root_made_is_checked_when_it_is_opened(shared, target, view):
    """As that of maps; a file of the mount is moreover one for each view, and its number is stale for whoever has another."""
    process = target("moving")
    path = f"{shared.path}/{process.pid}/{view.replace('RANGE', process.facts['range'])}"
    with holders(ROOT, NOBODY) as (root, nobody):
        for name in f"/proc/{process.pid}/maps", path:
            held = root.hand(root.open(name, os.O_PATH), nobody)
            with pytest.raises(OSError) as refused:
                opened = nobody.open(f"/proc/self/fd/{held}")
                nobody.call("entries" if view == "vma" else "read", opened, 4096)
            assert refused.value.errno in ((errno.EACCES, errno.ESTALE) if name == path else (errno.EACCES,))
            assert root.open(f"/proc/self/fd/{root.open(name, os.O_PATH)}")


@pytest.mark.parametrize("view", ["letters", "raw/pagemap"])
def test_path_handle_of_root_shows_its_owner_no_frames(shared, target, view):
    """Neither read nor mapped, while root has the same pages mapped: the number of the file is that of root's view."""
    process = target("moving", under=OWNER, cwd="/")
    path = f"{shared.path}/{process.pid}/vma/{process.facts['range']}/{view}"
    with holders(ROOT, OWNER) as (root, owner):
        root.call("hold", path)
        held = root.hand(root.open(path, os.O_PATH), owner)
        for call in "whole", "mapped":
            try:
                data = owner.call(call, f"/proc/self/fd/{held}")
            except OSError:
                continue  # Refused is as good.
            assert data and not frames(view, data), call


def test_folder_that_the_owner_opened_does_not_list_what_the_process_becomes(shared, target):
    process = target("moving", under=OWNER, cwd="/")
    before = {one.range for one in mappings(process.pid)}
    with Holder(under=OWNER) as reader:
        handle = reader.open(f"{shared.path}/{process.pid}/vma", os.O_RDONLY | os.O_DIRECTORY)
        assert process.tell("exec").startswith("ready ")
        after = {one.range for one in mappings(process.pid)} - before
        assert after
        with contextlib.suppress(OSError):
            assert not after & set(reader.call("entries", handle))
