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

    Args:
        synapses: from `load_synapses` or `fit_synapses`.
        class_models: postsynaptic cell of each class, the ones that the synapses were fitted for.
        duration_ms: length of the responses.

    Raises:
        ParameterError: a class without a model, or a cell that cannot be held where the table says,
            because the table was made for other class models.
    """
    held = _hold(synapses, class_models)
    g, rise, decay, reversal = (
        np.array([getattr(one, name).value for one in synapses.values()])
        for name in ("g_nS", "rise_ms", "decay_ms", "reversal_mV")
    )
    t, v = simulate_psp(held, g, rise, decay, reversal, duration_ms=duration_ms)
    return Potentials(tuple(synapses), t, v, held.holding)


def _hold(synapses: Synapses, class_models: Cells) -> Membranes:
    cells = []
    for (pre, post), _ in synapses.items():
        if post not in class_models:
            raise ParameterError(f"{pre} → {post}: class_models has no {post!r}; give one")
        model = class_models[post]
        cells.append(model.parameters if isinstance(model, CellClass) else model)
    holding = [one.holding_mV.value for one in synapses.values()]
    try:
        return make_membranes(cells, holding, [one.exponential for one in synapses.values()])
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
        measured and fitted value and relative error; holding_mV; membrane_ms, the time constant of
        the held cell; reason, why rise or decay miss by more than 15 %, empty where they do not.
    """
    recorded = {pair: one for pair, one in synapses.items() if one.recorded}
    found = simulate_potentials(recorded, class_models, duration_ms=FIT_WINDOW)
    features = measure_psp(found.t_ms, found.v_mV)
    held = _hold(recorded, class_models)
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
        row["membrane_ms"] = float(held.time_constant[i])
        row["reason"] = _explain(row, float(held.C[i] / held.g_L[i]))
        rows.append(row)
    return pd.DataFrame(rows)


def _explain(row: Mapping[str, object], tau_m: float) -> str:
    def number(name: str) -> float:
        return float(str(row[name]))

    rise, decay = number("rise_ms_error"), number("decay_ms_error")
    if max(abs(rise), abs(decay)) <= TOLERANCE:
        return ""
    measured = number("decay_ms_measured")
    if decay > TOLERANCE and measured < tau_m:
        return (
            f"measured decay {measured:.1f} ms is faster than the membrane time constant of the "
            f"class model, {tau_m:.1f} ms"
        )
    return (
        f"rise {number('rise_ms_measured'):.1f} and decay {measured:.1f} ms are not both reached "
        f"by one conductance on a membrane of {number('membrane_ms'):.1f} ms"
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
    stp_inside: float  # share of pairs with five recordings or more inside the quartiles
    stp_pairs: int  # how many those are
    recovery_error_max: float  # largest difference of a recovery, in 90th-percentile amplitudes


def score_synapses(synapses: Synapses, class_models: Cells) -> SynapseScores:
    """The numbers of chapter 1 for the synapses: potentials, kinetics and plasticity.

    Args:
        synapses, class_models: as in `simulate_potentials`.
    """
    potentials, trains = compare_potentials(synapses, class_models), compare_plasticity(synapses)
    kinetics = potentials[["rise_ms_error", "decay_ms_error"]].abs().max(axis=1)
    matched = potentials["reason"] == ""
    missed = tuple(
        f"{row.pre} → {row.post}: rise {row.rise_ms_error:+.0%}, decay {row.decay_ms_error:+.0%}: "
        f"{row.reason}"
        for row in potentials[~matched].itertuples()
    )
    judged = trains[trains["n"] >= MIN_RECORDINGS]
    return SynapseScores(
        psp_error_max=float(potentials["amplitude_mV_error"].abs().max()),
        kinetics_error_max=float(kinetics.max()),
        kinetics_matched=int(matched.sum()),
        kinetics_missed=missed,
        stp_inside=float(judged["inside"].mean()),
        stp_pairs=len(judged),
        recovery_error_max=float(
            (trains["recovery_fitted"] - trains["recovery_measured"]).abs().max()
        ),
    )
