"""Where data sets lie on this machine: ``$SWTA_DATA`` and the user's cache."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_cache_path

from swta.data.errors import DataUnavailable

_YES = ("1", "true", "yes", "on")


def data_folder() -> Path | None:
    """Return the reader's own data folder, ``$SWTA_DATA``; None if the variable is not set.

    Raises:
        DataUnavailable: the variable is set, but there is no such folder.
    """
    value = os.environ.get("SWTA_DATA", "")
    if not value:
        return None
    folder = Path(value).expanduser().absolute()
    if not folder.is_dir():
        raise DataUnavailable(
            f"SWTA_DATA = {value!r}: there is no folder {folder}. "
            "Set SWTA_DATA to the folder that holds the data sets, or unset it"
        )
    return folder


def cache_folder() -> Path:
    """Return the folder that downloads go to: ``$SWTA_CACHE``, else the system's cache folder."""
    value = os.environ.get("SWTA_CACHE", "")
    if value:
        return Path(value).expanduser().absolute()
    return user_cache_path("swta", appauthor=False)


def is_offline() -> bool:
    """Say whether ``SWTA_OFFLINE`` forbids downloads (1, true, yes or on, in any case)."""
    return os.environ.get("SWTA_OFFLINE", "").strip().lower() in _YES
