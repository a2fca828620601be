"""What every test may rely on."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

# PyTorch's threads wait for each other by spinning: beside other programs that takes ten times as long. It is
# read when the first of its libraries is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

# A shell's background jobs are deaf to Ctrl-C, and so is what they start: tests send it to programs.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

CATEGORIES = {"unit", "server", "slow", "browser", "dnsmos", "image", "programs", "ray"}


@pytest.fixture(autouse=True)
def same_environment() -> Iterator[None]:
    """A server in this process goes offline; the next test is as free as it was."""
    before = dict(os.environ)
    yield
    if os.environ != before:
        os.environ.clear()
        os.environ.update(before)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """512 KiB, a real file system."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0:
        pytest.skip("NOT TESTED: mounting a small disk needs root")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(folder)], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"NOT TESTED: no small disk can be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test without a category is a mistake: nobody would know when it runs."""
    lost = sorted(
        {item.nodeid for item in items if not CATEGORIES & {mark.name for mark in item.iter_markers()}}
    )
    if lost:
        known = ", ".join(sorted(CATEGORIES))
        raise pytest.UsageError(f"mark these as one of {known}: " + ", ".join(lost[:5]))


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    return True if "__pycache__" in collection_path.parts else None
