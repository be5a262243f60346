"""What some tests change of the machine, as context managers that put everything back, also on failure."""

import contextlib
import fcntl
import os
import pathlib
import subprocess

import pytest

from reading import until

HUGEPAGES = pathlib.Path("/proc/sys/vm/nr_hugepages")
KSM = pathlib.Path("/sys/kernel/mm/ksm")
ZRAM = pathlib.Path("/sys/class/zram-control")


def command(*argv):
    done = subprocess.run(argv, capture_output=True, timeout=30, text=True)
    assert done.returncode == 0, f"{argv}: {done.stderr}"


@contextlib.contextmanager
def setting(path, value):
    """A file of /proc/sys or /sys holds VALUE meanwhile; a choice in brackets counts as the value."""
    path = pathlib.Path(path)
    words = path.read_text().split()
    old = next((word[1:-1] for word in words if word.startswith("[")), " ".join(words))
    path.write_text(str(value))
    try:
        yield
    finally:
        path.write_text(old)


@contextlib.contextmanager
def locked(path):
    """One run of the tests at a time changes what this file stands for: two would put back each other's changes."""
    with open(path) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def hugetlb_pages(count=8):
    """COUNT more huge pages in the pool; skips where the machine has no room for them."""
    if not HUGEPAGES.exists():
        pytest.skip("this kernel has no hugetlb pages")
    with locked(HUGEPAGES):
        old = int(HUGEPAGES.read_text())
        with setting(HUGEPAGES, old + count):
            if int(HUGEPAGES.read_text()) < old + count:
                pytest.skip("no room for hugetlb pages")
            yield


@contextlib.contextmanager
def merging():
    """ksmd at work, quickly. What it has merged stays merged afterwards."""
    if not KSM.exists():
        pytest.skip("this kernel has no KSM")
    with locked(KSM / "run"), setting(KSM / "pages_to_scan", 10000), setting(KSM / "sleep_millisecs", 1), setting(KSM / "run", 1):
        yield


@contextlib.contextmanager
def zram_device(size, priority):
    """A new zram device that is swapped to; its node."""
    number = (ZRAM / "hot_add").read_text().strip()
    device, block = f"/dev/zram{number}", pathlib.Path(f"/sys/block/zram{number}")
    try:
        (block / "disksize").write_text(size)
        until(lambda: os.path.exists(device), 5, device)
        command("mkswap", device)
        command("swapon", "-p", str(priority), device)
        try:
            yield device
        finally:
            command("swapoff", device)
    finally:
        (block / "reset").write_text("1")
        (ZRAM / "hot_remove").write_text(number)


@contextlib.contextmanager
def zram_swap(size="256M", priority=32000):
    """A swap area on a new zram device, used before any other; its device node. Skips where there is no zram."""
    if not (ZRAM / "hot_add").exists():
        pytest.skip("this kernel has no zram")
    with locked("/proc/swaps"), zram_device(size, priority) as device:
        yield device
