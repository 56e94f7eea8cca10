"""Where a result comes from: commit, versions, parameters, machine, data, time and memory."""

from __future__ import annotations

import os
import platform
import resource
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from swta import data
from swta.paper.paths import find_root

PACKAGES = ("swta", "numpy", "scipy", "brian2", "numba", "torch", "timm", "scikit-learn")


def describe_commit(root: Path | None) -> str:
    """The commit of the checkout at ``root``, marked when files differ from it."""
    if root is None:
        return "unknown (not a checkout)"
    command = [
        "git",
        "-C",
        str(root),
        "describe",
        "--always",
        "--dirty=, with changes",
        "--abbrev=12",
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return "unknown (git has no answer)"
    return done.stdout.strip()


def installed_versions() -> dict[str, str]:
    """Versions of Python and of the packages the results depend on."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "absent"
    return found


def peak_memory_mb() -> float:
    """Largest resident memory so far of this process or of one that it started, in MB."""
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    peak = max(resource.getrusage(each).ru_maxrss for each in who)
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)


def describe_device() -> str:
    """The processor, and the GPU when a library in use has found one."""
    cores = f"{platform.machine()}, {count_processors()} cores"
    torch = sys.modules.get("torch")  # asking must not import it
    if torch is not None and torch.cuda.is_available():
        return f"{torch.cuda.get_device_name(0)} beside {cores}"
    return f"CPU ({cores})"


def count_processors() -> int:
    """Number of processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def collect_provenance(parameters: dict[str, Any], wall_time_s: float) -> dict[str, Any]:
    """Everything a reader needs to repeat a run, as plain values."""
    uses = [
        {
            "name": use.name,
            "source": use.source,
            "fingerprint": data.fingerprint(use.name),
            "files": {str(file): digest for file, digest in use.files},
        }
        for use in data.used()
    ]
    return {
        "commit": describe_commit(find_root()),
        "versions": installed_versions(),
        "parameters": parameters,
        "device": describe_device(),
        "data": uses,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "wall_time_s": round(wall_time_s, 2),
        "peak_memory_mb": round(peak_memory_mb(), 1),
    }
