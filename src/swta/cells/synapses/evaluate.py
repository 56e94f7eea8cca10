"""How well the synapses give back what was measured: potentials, kinetics, plasticity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from swta.cells.adex import AdExParameters
from swta.cells.library import CellClass
from swta.cells.synapses.kernel import simulate_psp
from swta.cells.synapses.measured import MIN_RECORDINGS
from swta.cells.synapses.membrane import Membranes, make_membranes
from swta.cells.synapses.plasticity import PROTOCOL_MS, measure_plasticity, simulate_release
from swta.cells.synapses.shape import FIT_WINDOW, measure_psp
from swta.cells.synapses.table import Synapse
from swta.validation import ParameterError

Array = NDArray[np.float64]
Synapses = Mapping[tuple[str, str], Synapse]
Cells = Mapping[str, CellClass] | Mapping[str, AdExParameters]

TOLERANCE: Final = 0.15  # a rise or decay within this fraction of the measured one is matched


@dataclass(frozen=True)
class Potentials:
    """Potentials that the synapses evoke in their postsynaptic cells, held as in the recordings."""

    pairs: tuple[tuple[str, str], ...]
    t_ms: Array  # after onset, (steps,)
    v_mV: Array  # deflections, (pairs, steps)
    holding_mV: Array  # (pairs,)


def simulate_potentials(
    synapses: Synapses, class_models: Cells, *, duration_ms: float = 60.0
) -> Potentials:
    """Postsynaptic potentials (mV) of all pairs after a rest, in one run.

    Each cell has the membrane time constant and leak that the table gives for its pair.

    Args:
        synapses: from `load_synapses` or `fit_synapses`.
        class_models: postsynaptic cell of each class, the ones that the synapses were fitted for.
        duration_ms: length of the responses.

    Raises:
        ParameterError: a class without a model, or a cell that cannot be held where the table says,
            because the table was made for other class models.
    """
    held = _hold(synapses, class_models)
    return Potentials(tuple(synapses), *_evoke(synapses, held, duration_ms), held.holding)


def _evoke(synapses: Synapses, held: Membranes, duration_ms: float) -> tuple[Array, Array]:
    g, rise, decay, reversal = (
        _values(synapses, name) for name in ("g_nS", "rise_ms", "decay_ms", "reversal_mV")
    )
    return simulate_psp(held, g, rise, decay, reversal, duration_ms=duration_ms)


def _values(synapses: Synapses, name: str) -> Array:
    return np.array([getattr(one, name).value for one in synapses.values()])


def _hold(synapses: Synapses, class_models: Cells, *, central: bool = False) -> Membranes:
    """Cells with the table's membranes, or with those of the class models."""
    cells = []
    for (pre, post), _ in synapses.items():
        if post not in class_models:
            raise ParameterError(f"{pre} → {post}: class_models has no {post!r}; give one")
        model = class_models[post]
        cells.append(model.parameters if isinstance(model, CellClass) else model)
    own = {"membrane_ms": _values(synapses, "membrane_ms"), "leak_nS": _values(synapses, "leak_nS")}
    try:
        return make_membranes(
            cells,
            _values(synapses, "holding_mV"),
            [one.exponential for one in synapses.values()],
            **({} if central else own),
        )
    except ParameterError as error:
        raise ParameterError(
            f"{error}. The synapses were fitted for other class models; fit them again with "
            "fit_synapses, or write them with publish_synapses"
        ) from error


def compare_potentials(synapses: Synapses, class_models: Cells) -> pd.DataFrame:
    """Measured and evoked amplitude (mV), rise and decay (ms) of every recorded pair, with errors.

    Evoked potentials are measured in the recordings' window with the recordings' curve.

    Args:
        synapses, class_models: as in `simulate_potentials`.

    Returns:
        One row a pair: pre, post, n, status, then for amplitude_mV, rise_ms and decay_ms the
        measured and fitted value and relative error; holding_mV; membrane_ms, membrane_low_ms and
        membrane_high_ms, the time constant C / g_L of the cell and the quartiles of its class, and
        central_ms, that of the class model; held_ms, the time constant of the cell as it is held;
        amplitude_mV_central and central_deviation, what the same conductance gives in the class
        model's own cell, and its relative difference from the measured amplitude; reason, why rise
        or decay miss by more than 15 %, empty where they do not.
    """
    recorded = {pair: one for pair, one in synapses.items() if one.recorded}
    held = _hold(recorded, class_models)
    features = measure_psp(*_evoke(recorded, held, FIT_WINDOW))
    middle = _hold(recorded, class_models, central=True)
    in_middle = measure_psp(*_evoke(recorded, middle, FIT_WINDOW)).amplitude_mV
    rows = []
    for i, ((pre, post), one) in enumerate(recorded.items()):
        row: dict[str, object] = {
            "pre": pre,
            "post": post,
            "n": one.psp_mV.n,
            "status": one.psp_mV.status,
        }
        for name, measured, fitted in (
            ("amplitude_mV", one.psp_mV.value, features.amplitude_mV[i]),
            ("rise_ms", one.psp_rise_ms.value, features.rise_ms[i]),
            ("decay_ms", one.psp_decay_ms.value, features.decay_ms[i]),
        ):
            row[f"{name}_measured"] = measured
            row[f"{name}_fitted"] = float(fitted)
            row[f"{name}_error"] = float(fitted / measured - 1.0)
        row["holding_mV"] = float(held.holding[i])
        row["membrane_ms"] = float(held.passive_time_constant[i])
        row["membrane_low_ms"], row["membrane_high_ms"] = one.membrane_ms.low, one.membrane_ms.high
        row["central_ms"] = float(middle.passive_time_constant[i])
        row["held_ms"] = float(held.time_constant[i])
        row["amplitude_mV_central"] = float(in_middle[i])
        row["central_deviation"] = float(in_middle[i] / one.psp_mV.value - 1.0)
        row["reason"] = _explain(row)
        rows.append(row)
    return pd.DataFrame(rows)


def _explain(row: Mapping[str, object]) -> str:
    def number(name: str) -> float:
        return float(str(row[name]))

    rise, decay = number("rise_ms_error"), number("decay_ms_error")
    if max(abs(rise), abs(decay)) <= TOLERANCE:
        return ""
    measured, tau = number("decay_ms_measured"), number("membrane_ms")
    if decay > TOLERANCE and measured < tau:
        return (
            f"measured decay {measured:.1f} ms is faster than the membrane time constant of the "
            f"cell, {tau:.1f} ms"
        )
    return (
        f"rise {number('rise_ms_measured'):.1f} and decay {measured:.1f} ms are not both reached "
        f"by one conductance on a membrane of {number('held_ms'):.1f} ms"
    )


def compare_plasticity(synapses: Synapses) -> pd.DataFrame:
    """Measured and fitted induction and recovery of every pair whose trains were recorded.

    Returns:
        One row a pair: pre, post, n, status, induction measured with quartiles and fitted, inside
        (whether it lies between the quartiles), recovery measured (a mean without quartiles) and
        fitted.
    """
    rows = []
    for (pre, post), one in synapses.items():
        if not one.recorded or pre == "Lamp5":
            continue
        amplitudes = simulate_release(
            PROTOCOL_MS, one.U.value, one.tau_d_ms.value, one.tau_f_ms.value
        )
        strong = one.psp_strong_mV.value / one.psp_mV.value
        induction, recovery = measure_plasticity(amplitudes, strong)
        measured = one.stp_induction
        rows.append(
            {
                "pre": pre,
                "post": post,
                "n": measured.n,
                "status": measured.status,
                "induction_measured": measured.value,
                "induction_q25": measured.low,
                "induction_q75": measured.high,
                "induction_fitted": float(induction),
                "inside": bool(measured.low <= induction <= measured.high),
                "recovery_measured": one.stp_recovery.value,
                "recovery_fitted": float(recovery),
            }
        )
    return pd.DataFrame(rows)


def tabulate_trains(synapses: Synapses) -> pd.DataFrame:
    """Amplitude (mV) of each of the 12 pulses of the recordings' trains, one a row.

    Returns:
        Columns pre, post, pulse, time_ms, amplitude_mV.
    """
    rows = []
    for (pre, post), one in synapses.items():
        release = simulate_release(PROTOCOL_MS, one.U.value, one.tau_d_ms.value, one.tau_f_ms.value)
        for k, (time, value) in enumerate(zip(PROTOCOL_MS, release, strict=True), start=1):
            amplitude = float(value) * one.psp_mV.value
            rows.append(
                {"pre": pre, "post": post, "pulse": k, "time_ms": time, "amplitude_mV": amplitude}
            )
    return pd.DataFrame(rows)


@dataclass(frozen=True)
class SynapseScores:
    """Misses of the fitted synapses; errors are relative."""

    psp_error_max: float  # largest error of an amplitude
    kinetics_error_max: float  # largest error of a rise or decay of any recorded pair
    kinetics_matched: int  # pairs with rise and decay within 15 %
    kinetics_missed: tuple[str, ...]  # the others, with errors and reason
    kinetics_pairs: int  # recorded pairs
    stp_inside: float  # share of pairs with five recordings or more inside the quartiles
    stp_pairs: int  # how many those are
    recovery_error_max: float  # largest difference of a recovery, in 90th-percentile amplitudes
    psp_central_deviation_max: float  # largest, of an amplitude in the class model's own cell


def score_synapses(synapses: Synapses, class_models: Cells) -> SynapseScores:
    """The numbers of chapter 1 for the synapses: potentials, kinetics and plasticity.

    Args:
        synapses, class_models: as in `simulate_potentials`.
    """
    potentials, trains = compare_potentials(synapses, class_models), compare_plasticity(synapses)
    kinetics = potentials[["rise_ms_error", "decay_ms_error"]].abs().max(axis=1)
    matched = potentials["reason"] == ""
    missed = tuple(
        f"{synapses[str(row.pre), str(row.post)].label} (rise {row.rise_ms_error:+.0%}, "
        f"decay {row.decay_ms_error:+.0%}): {row.reason}"
        for row in potentials[~matched].itertuples()
    )
    judged = trains[trains["n"] >= MIN_RECORDINGS]
    return SynapseScores(
        psp_error_max=float(potentials["amplitude_mV_error"].abs().max()),
        kinetics_error_max=float(kinetics.max()),
        kinetics_matched=int(matched.sum()),
        kinetics_missed=missed,
        kinetics_pairs=len(potentials),
        stp_inside=float(judged["inside"].mean()),
        stp_pairs=len(judged),
        recovery_error_max=float(
            (trains["recovery_fitted"] - trains["recovery_measured"]).abs().max()
        ),
        psp_central_deviation_max=float(potentials["central_deviation"].abs().max()),
    )
