"""Make the book: pair the texts, execute the chapters, publish the records, build the pages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from filelock import FileLock, Timeout

from swta.paper.build import execute_book
from swta.paper.pairs import pair_texts
from swta.paper.site import build_site, publish_records


def build_book(
    root: Path,
    profile: str,
    *,
    jobs: int,
    say: Callable[[str], None] = print,
    progress: Callable[[str, int, int], None] | None = None,
) -> Path:
    """Build the book under a profile and return its first page.

    Raises:
        BuildFailed: a chapter failed; the last good pages are untouched.
        SiteFailed: the strict build of the pages failed; likewise.
        OSError: another build of this checkout is running.
    """
    lock = FileLock(root / "_build" / ".lock")
    Path(lock.lock_file).parent.mkdir(exist_ok=True)
    try:
        with lock.acquire(timeout=0):
            pair_texts(root, say)
            tasks = execute_book(root, profile, jobs=jobs, say=say, progress=progress)
            executed = [task.run.output for task in tasks]
            publish_records(executed, root / "_build" / "results")
            build_site(root, executed, say=say)
    except Timeout:
        raise OSError(
            f"another build is running in {root} (it holds {lock.lock_file}); wait for it to end"
        ) from None
    return root / "_build" / "html" / "index.html"
