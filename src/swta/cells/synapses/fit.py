"""The whole table of synapses from the measurements and the class models: `fit_synapses`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from swta.cells.adex import AdExParameters
from swta.cells.classes import CLASSES
from swta.cells.library import CellClass
from swta.cells.synapses.amplitude import match_amplitudes
from swta.cells.synapses.assemble import assemble_synapse, fit_dynamics
from swta.cells.synapses.match import match_psps
from swta.cells.synapses.measured import MeasuredPair, MeasuredSynapses, load_measured_synapses
from swta.cells.synapses.neurogliaform import LAMP5_PLASTICITY, SLOW_GABA_A
from swta.cells.synapses.table import Synapse
from swta.cells.synapses.targets import PspMatch, PspTarget
from swta.cells.synapses.time_constants import MEMBRANES, TimeConstants, find_time_constants
from swta.validation import ParameterError, check_choice

AMPLITUDES: Final = ("mean", "median")
_RECORDED: Final = ("Pvalb", "Sst", "Vip")  # interneurons with paired recordings


@dataclass(frozen=True)
class SynapseFit:
    """All synapses, fitted; `swta.cells.synapses.evaluate` says how well."""

    synapses: Mapping[tuple[str, str], Synapse]
    amplitude: str  # statistic of the potentials that the conductances were matched to
    holding: str  # whether the holding potentials were fitted or the recordings' names for them
    membrane: str  # whether the membrane time constants were fitted or those of the class models
    notes: tuple[str, ...]  # pairs whose measurements were pooled or replaced by a proxy, and how


def fit_synapses(
    class_models: Mapping[str, CellClass] | Mapping[str, AdExParameters],
    *,
    amplitude: str = "mean",
    holding: str = "fitted",
    membrane: str = "fitted",
    folder: Path | None = None,
) -> SynapseFit:
    """Every synapse from the tables of paired recordings, for given postsynaptic cells.

    Args:
        class_models: the postsynaptic cell of each class, from `load_class`, or AdEx parameters.
        amplitude: which statistic of the resting potentials the conductances reproduce, ``mean``
            or ``median``. The mean carries the few strong synapses of a log-normal distribution.
        holding: ``fitted`` or ``named``, see `match_psps`.
        membrane: time constant of the postsynaptic cells. ``fitted`` for each recorded pair between
            the quartiles of its class, or ``central``: that of the class model.
        folder: where the physiology tables are; by default the data set is located.

    Raises:
        ParameterError: a class without a model, an unknown option, tables that lack a pair, or
            AdEx parameters with ``membrane="fitted"``.
        swta.data.DataUnavailable: the tables are nowhere to be found.
    """
    check_choice("amplitude", amplitude, AMPLITUDES)
    check_choice("membrane", membrane, MEMBRANES)
    cells = _parameters(class_models)
    spread = find_time_constants(class_models) if membrane == "fitted" else None
    measured = load_measured_synapses(folder)
    matches = _match(measured, cells, spread, amplitude, holding)
    synapses = {}
    for pair, one in measured.pairs.items():
        dynamics = (
            LAMP5_PLASTICITY
            if one.pre == "Lamp5"
            else fit_dynamics(one, measured.ndnf_ratios, amplitude)
        )
        synapses[pair] = assemble_synapse(
            one, matches[pair], dynamics, amplitude, None if spread is None else spread[one.post]
        )
    return SynapseFit(synapses, amplitude, holding, membrane, measured.notes)


def _parameters(
    models: Mapping[str, CellClass] | Mapping[str, AdExParameters],
) -> dict[str, AdExParameters]:
    missing = [name for name in CLASSES if name not in models]
    if missing:
        raise ParameterError(
            f"class_models lacks {', '.join(missing)}; give a model for each of "
            f"{', '.join(CLASSES)}"
        )
    return {
        name: one.parameters if isinstance(one, CellClass) else one for name, one in models.items()
    }


def _match(
    measured: MeasuredSynapses,
    cells: Mapping[str, AdExParameters],
    spread: Mapping[str, TimeConstants] | None,
    amplitude: str,
    holding: str,
) -> dict[tuple[str, str], PspMatch]:
    targets = {pair: _target(one, amplitude) for pair, one in measured.pairs.items()}
    recorded = [t for (pre, post), t in targets.items() if "Lamp5" not in (pre, post)]
    matches = match_psps(recorded, cells, time_constants=spread, holding=holding)
    found = {(m.pre, m.post): m for m in matches}
    slow = [t for (pre, _), t in targets.items() if pre == "Lamp5"]
    rise, decay = SLOW_GABA_A["rise_ms"].value, SLOW_GABA_A["decay_ms"].value
    for m in match_amplitudes(slow, cells, rise, decay):
        found[m.pre, m.post] = m
    # No recording on LAMP5 cells: the kernel is that onto the other interneurons.
    onto = [t for (pre, post), t in targets.items() if post == "Lamp5" and pre != "Lamp5"]
    kernels = np.array(
        [
            [[found[t.pre, name].rise_ms, found[t.pre, name].decay_ms] for name in _RECORDED]
            for t in onto
        ]
    )
    typical = np.exp(np.log(kernels).mean(axis=1))
    for m in match_amplitudes(onto, cells, typical[:, 0], typical[:, 1]):
        found[m.pre, m.post] = m
    return {pair: found[pair] for pair in measured.pairs}


def _target(one: MeasuredPair, amplitude: str) -> PspTarget:
    statistics = one.statistics
    return PspTarget(
        one.pre,
        one.post,
        getattr(statistics["psp_amplitude"], amplitude),
        statistics["psp_rise_time"].median,
        statistics["psp_decay_tau"].median,
    )
