"""Rates that NEST gave once, for readers without NEST, and the check that they still hold.

A record is refused where anything it depends on has changed: the experiment, the parameters of the
network, the published tables of cells and synapses, or how a network is drawn from them.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import asdict
from importlib import metadata, resources
from pathlib import Path
from typing import Any, Final

import numpy as np

from swta.cells.classes import CLASSES
from swta.circuit.nest_motif import RISE_MS, TOLERANCE
from swta.circuit.peer import (
    PeerExperiment,
    PopulationRates,
    open_share,
    simulate_nest_rates,
    without_block,
)
from swta.circuit.wiring import build_wiring
from swta.validation import ParameterError

SHIPPED: Final = "nest_rates.json"
REMAKE: Final = (
    "with NEST installed (pip install 'swta[peers]'), python benchmarks/circuit.py --nest-record "
    "makes it anew"
)
_TABLES: Final = {
    "cells": ("swta.cells", "class_models.json"),
    "synapses": ("swta.cells.synapses", "synapses.json"),
}
_DRAWN_RTOL: Final = 1e-6  # sums of a drawn network may differ by rounding between machines


class StaleRecordError(RuntimeError):
    """The recorded rates are of another network than the one asked for."""


def record_nest_rates(
    path: Path,
    experiment: PeerExperiment | None = None,
    *,
    threads: int = 1,
    tolerance: float = TOLERANCE,
) -> PopulationRates:
    """Run the experiment in NEST and write its rates to a JSON file, which is replaced in one move.

    Args:
        experiment: by default that of the default network.
        threads: of NEST.
        tolerance: of NEST's integration.

    Raises:
        MissingSimulatorError: NEST is not installed.
    """
    chosen = PeerExperiment() if experiment is None else experiment
    inputs = _inputs(chosen)  # before the run, which takes minutes: tables may change under it
    rates = simulate_nest_rates(chosen, threads=threads, tolerance=tolerance)
    packages = ("nest-simulator", "numpy", "scipy")
    content = {
        "format": 1,
        "units": {"rates_hz": "Hz, by state, network seed and population"},
        "versions": {name: metadata.version(name) for name in packages}
        | {"python": platform.python_version()},
        "integration": {"dt_ms": 0.1, "tolerance": tolerance, "rise_ms": RISE_MS},
        "inputs": inputs,
        "states": rates.states,
        "seeds": rates.seeds,
        "populations": rates.populations,
        "rates_hz": np.round(rates.rates_hz, 4).tolist(),
    }
    partial = path.with_name(path.name + ".part")
    partial.write_text(_format(content), encoding="utf8")
    partial.replace(path)
    return rates


def load_nest_rates(
    experiment: PeerExperiment | None = None, *, path: Path | None = None
) -> PopulationRates:
    """Recorded NEST rates of an experiment; it may have fewer networks than were recorded.

    Args:
        experiment: the one that Brian 2 runs; by default the one that is recorded.
        path: a file of ``record_nest_rates``; by default the one shipped with the package.

    Raises:
        ParameterError: a file that cannot be read or is no such record.
        StaleRecordError: the record is of another experiment, network, or table of cells or
            synapses; the message says which.
    """
    chosen = PeerExperiment() if experiment is None else experiment
    source = resources.files("swta.circuit") / SHIPPED if path is None else path
    try:
        content = json.loads(source.read_text(encoding="utf8"))
        found, versions = content["inputs"], content["versions"]
        rates = PopulationRates(
            simulator="NEST",
            states=tuple(content["states"]),
            seeds=tuple(content["seeds"]),
            populations=tuple(content["populations"]),
            rates_hz=np.array(content["rates_hz"], dtype=np.float64),
            source=f"recorded with NEST {versions['nest-simulator']}",
        )
        changed = _changes(found, _inputs(chosen))
    except OSError as error:
        raise ParameterError(
            f"{source} cannot be read ({error.strerror}); {REMAKE}, or run NEST now"
        ) from error
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ParameterError(
            f"{source} is no record of NEST rates ({type(error).__name__}: {error}); {REMAKE}"
        ) from error
    missing = sorted(set(chosen.wiring_seeds) - set(rates.seeds))
    if missing:
        changed.append(f"no network of seed {missing[0]}")
    if changed:
        raise StaleRecordError(
            f"the recorded NEST rates are not those of this network: {'; '.join(changed)}. They "
            f"are not used; {REMAKE}, or run NEST now"
        )
    return rates


def _inputs(experiment: PeerExperiment) -> dict[str, Any]:
    """All that recorded rates depend on, as plain JSON."""
    network = asdict(experiment.network)
    network["adjustments"] = {
        f"{a.pre} to {a.post}": a.factor for a in experiment.network.adjustments
    }
    inputs = {
        "experiment": {
            "drive_khz": experiment.drive_khz,
            "settle_s": experiment.settle_s,
            "measure_s": experiment.measure_s,
        },
        "network": network,
        "open_share": float(f"{open_share(experiment.network):.9g}"),
        "tables": {name: _fingerprint(*place) for name, place in _TABLES.items()},
        "drawn": _drawn(experiment),
    }
    plain: dict[str, Any] = json.loads(json.dumps(inputs))
    return plain


def _fingerprint(package: str, name: str) -> str:
    """SHA-256 of a published table, whatever its line breaks."""
    content = json.loads((resources.files(package) / name).read_text(encoding="utf8"))
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf8")).hexdigest()


def _drawn(experiment: PeerExperiment) -> dict[str, float]:
    """Sums over the first network, which change where the drawing of networks does."""
    network = without_block(experiment.network)
    wiring = build_wiring(network, seed=0)
    return {
        "synapses": len(wiring.pre),
        "weight_nS": float(wiring.weight_nS.sum()),
        "weighted_targets": float((wiring.weight_nS * wiring.post).sum()),
        "delay_ms": float(wiring.delay_ms.sum()),
        "decay_ms": float(wiring.decay_ms.sum()),
        "plasticity": float(wiring.plasticity.sum()),
        "cells": float(np.abs(wiring.parameters).sum()),
        "initial_mV": float(wiring.initial_mV.sum()),
        "arrival_nS": sum(network.arrival_nS(name) for name in CLASSES),
    }


def _changes(recorded: Mapping[str, Any], current: Mapping[str, Any]) -> list[str]:
    """What differs, in words."""
    changed = []
    for group in ("experiment", "network"):
        old, new = recorded[group], current[group]
        for name in sorted(set(old) | set(new)):
            if old.get(name) != new.get(name):
                changed.append(f"{name} was {old.get(name)} and is {new.get(name)}")
    for name, digest in current["tables"].items():
        if recorded["tables"].get(name) != digest:
            changed.append(f"the published table of {name} has changed")
    if not changed:
        drawn = current["drawn"] | {"open_share": current["open_share"]}
        before = recorded["drawn"] | {"open_share": recorded["open_share"]}
        for name, value in drawn.items():
            if not np.isclose(before.get(name, np.nan), value, rtol=_DRAWN_RTOL, atol=0):
                changed.append(f"networks are drawn otherwise ({name})")
    return changed


def _format(content: Mapping[str, Any]) -> str:
    """JSON with a line per entry, and per state and network of the rates."""
    lines = []
    for name, value in content.items():
        text = json.dumps(value, ensure_ascii=False)
        if name == "rates_hz":
            states = (",\n".join(f"  {json.dumps(row)}" for row in state) for state in value)
            text = "[\n" + ",\n".join(f" [\n{rows}\n ]" for rows in states) + "\n]"
        elif name == "inputs":
            parts = (f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in value.items())
            text = "{\n" + ",\n".join(parts) + "\n}"
        lines.append(f"{json.dumps(name)}: {text}")
    return "{\n" + ",\n".join(lines) + "\n}\n"
