"""What the command line shows of the data sets: a list, and what is wrong with a copy."""

from __future__ import annotations

from typing import Any

from swta.data.bundled import BUNDLED
from swta.data.catalogue import CATALOGUE, check_name, describe
from swta.data.fetch import find_problems
from swta.data.folders import cache_folder, data_folder
from swta.data.locate import Location, explain_placing, find

_STATUS = {
    "download": "can be downloaded",
    "build": "can be downloaded and built",
    "registration": "needs registration",
}


def list_data() -> list[dict[str, Any]]:
    """List every data set, as text: name, title, version, size, licence, citation, homepage.

    ``size`` is what a download takes, in MB; ``where`` is "" if there is no copy on this machine;
    ``status`` is "found", "bundled", or what can be done about it.

    Raises:
        DataUnavailable: SWTA_DATA names a folder that does not exist.
    """
    rows = []
    for entry in CATALOGUE.values():
        location = find(entry.name)
        sizes = [file.size for file in entry.files if file.size is not None]
        fixed = entry.files and len(sizes) == len(entry.files)
        rows.append(
            {
                "name": entry.name,
                "title": entry.title,
                "version": entry.version,
                "size": f"{sum(sizes) / 1e6:.1f} MB" if fixed else "unknown",
                "licence": entry.licence,
                "citation": entry.citation,
                "homepage": entry.homepage,
                "where": _describe(location) if location else "",
                "status": "found" if location else _STATUS[entry.access],
            }
        )
    for bundled in BUNDLED.values():
        rows.append(
            {
                "name": bundled.name,
                "title": bundled.title,
                "version": "with this package",
                "size": "0 MB",
                "licence": bundled.licence,
                "citation": bundled.citation,
                "homepage": "",
                "where": "bundled",
                "status": "bundled",
            }
        )
    return rows


def where(name: str) -> str:
    """Say where a data set lies on this machine, or that it does not and how to place it.

    Raises:
        DataUnavailable: SWTA_DATA names a folder that does not exist.
        ParameterError: no such data set.
    """
    location = find(name)
    if location is not None:
        return _describe(location)
    return f"{name} is not on this machine. {explain_placing(describe(name))}"


def verify(name: str) -> list[str]:
    """List what is wrong with the copy of a data set on this machine; empty if all is well.

    Every checksum is compared, and pictures are opened; nothing is downloaded.

    Raises:
        DataUnavailable: SWTA_DATA names a folder that does not exist.
        ParameterError: no such data set.
    """
    location = find(check_name(name))
    if name in BUNDLED:
        files = location.files if location else ()
        return [f"{file}: missing" for file in files if not file.is_file()]
    entry = describe(name)
    if location is not None:
        return find_problems(entry, location.folder)
    folders = [root / entry.folder for root in (data_folder(), cache_folder()) if root is not None]
    begun = [folder for folder in folders if folder.is_dir()]
    if begun:
        return find_problems(entry, begun[0])
    return [f"{name}: not on this machine (looked in {', '.join(map(str, folders))})"]


def _describe(location: Location) -> str:
    if location.source == "bundled":
        return "bundled"
    return f"{location.folder} ({location.source})"
