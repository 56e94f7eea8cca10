"""Books, disks and caches to be mistreated."""

import shutil
import sys

import pytest
from miniature_book import Book, Disk


@pytest.fixture
def book(tmp_path):
    made = Book(tmp_path / "checkout")
    yield made
    made.close()


@pytest.fixture
def mounted():
    """Mounts something for the processes of a test; skips where this machine does not allow it."""
    made = []

    def mount(commands):
        if shutil.which("unshare") is None or sys.platform != "linux":
            pytest.skip("no mount namespaces on this machine")
        disk = Disk(commands)
        made.append(disk)
        if not disk.ready:
            pytest.skip("this user may not mount a small disk")
        return disk

    yield mount
    for disk in made:
        disk.close()
