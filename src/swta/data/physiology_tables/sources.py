"""The upstream files of the physiology tables: repository, commit, path, checksum."""

from __future__ import annotations

import csv
from importlib import resources
from typing import Final
from urllib.parse import quote

from swta.data.registry import RemoteFile

# Models of 645 cells lie in 4,747 small files, so their repository (3 MB packed) is asked for as
# one archive. The server packs it on request: its bytes may change, the table built of it may not.
TEETER: Final = (
    "AllenInstitute/GLIF_Teeter_et_al_2018",
    "dcb232354b1a5c3e348d163cb479ae2ee10c564d",
)
TEETER_ARCHIVE: Final = "repository.tar.gz"


def list_upstream() -> tuple[RemoteFile, ...]:
    """Return the upstream files; a file's path is ``<owner>/<repository>/<commit>/<path>``."""
    listed = resources.files("swta.data") / "bundled_tables" / "physiology_upstream.csv"
    files = [
        RemoteFile(
            f"{row['repository']}/{row['commit']}/{row['path']}",
            _urls(row["repository"], row["commit"], row["path"]),
            sha256=row["sha256"],
            size=int(row["size"]),
        )
        for row in csv.DictReader(listed.read_text(encoding="utf-8").splitlines())
    ]
    repository, commit = TEETER
    archive = RemoteFile(
        f"{repository}/{commit}/{TEETER_ARCHIVE}",
        (
            f"https://codeload.github.com/{repository}/tar.gz/{commit}",
            f"https://github.com/{repository}/archive/{commit}.tar.gz",
        ),
    )
    return (*files, archive)


def _urls(repository: str, commit: str, path: str) -> tuple[str, ...]:
    return (
        f"https://raw.githubusercontent.com/{repository}/{commit}/{quote(path)}",
        f"https://cdn.jsdelivr.net/gh/{repository}@{commit}/{quote(path)}",
    )


UPSTREAM: Final = list_upstream()
