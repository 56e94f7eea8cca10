"""Putting one pair's measurements and fits together, each value with its status and source."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from swta.cells.synapses.measured import MeasuredPair, Statistic
from swta.cells.synapses.membrane import EXCITATORY_HOLDING, INHIBITORY_HOLDING
from swta.cells.synapses.neurogliaform import SLOW_GABA_A, make_gaba_b
from swta.cells.synapses.plasticity import (
    PROTOCOL_MS,
    fit_paired_pulses,
    fit_plasticity,
    measure_plasticity,
    simulate_release,
)
from swta.cells.synapses.table import (
    EXCITATORY,
    EXCITATORY_REVERSAL,
    INHIBITORY_REVERSAL,
    Measure,
    Synapse,
)
from swta.cells.synapses.targets import PspMatch
from swta.cells.synapses.time_constants import TimeConstants

_MEDIAN_ERROR: Final = 1.2533 / 1.349  # standard error of a median over its quartile range, × √n
_DYNAMICS: Final = ("U", "tau_d_ms", "tau_f_ms")
_FITTED: Final = "fitted: "
_REVERSAL_SOURCE: Final = {
    "excitatory": (
        "0 mV with a junction potential of 14 mV; pinned there by the recordings' own conductance "
        "analysis (Campagnola et al. 2022, campagnola2022)"
    ),
    "inhibitory": (
        "voltage clamp, -70 ± 4 mV as recorded, all inhibitory pairs together (Campagnola et al. "
        "2022, campagnola2022)"
    ),
}


def _standard_error(one: Statistic) -> float:
    return max(_MEDIAN_ERROR * (one.q75 - one.q25) / math.sqrt(one.n), 0.01)


def fit_dynamics(
    one: MeasuredPair, ndnf_ratios: Mapping[float, Sequence[float]], amplitude: str
) -> dict[str, Measure]:
    """U, tau_d and tau_f (ms) of one pair from its trains; of SST onto LAMP5 from NDNF cells.

    Args:
        one: the measurements.
        ndnf_ratios: pulse frequency (Hz) to paired-pulse ratios of SST onto NDNF cells.
        amplitude: ``mean`` or ``median`` of resting and 90th-percentile amplitude.

    Raises:
        ParameterError: an optimiser that does not converge.
    """
    name = f"{one.pre} → {one.post}"
    if (one.pre, one.post) == ("Sst", "Lamp5"):
        ratios = {}
        for hertz, values in ndnf_ratios.items():
            low, middle, high = np.quantile(values, (0.25, 0.5, 0.75))
            ratios[hertz] = (float(middle), _MEDIAN_ERROR * (high - low) / math.sqrt(len(values)))
        fit = fit_paired_pulses(ratios, name=name)
        n, status = min(len(values) for values in ndnf_ratios.values()), "proxy"
        source = (
            f"{_FITTED}median paired-pulse ratios at 10 and 20 Hz of SST onto NDNF cells of "
            "auditory cortex L1, control; Naumann et al. 2025 (naumann2025)"
        )
    else:
        induction = one.statistics["stp_induction_50hz"]
        fit = fit_plasticity(
            induction.median,
            one.recovery.value,
            _strong(one, amplitude),
            induction_sd=_standard_error(induction),
            name=name,
        )
        n, status = induction.n, induction.status
        source = (
            f"{_FITTED}median induction {induction.median:.3g} and mean recovery "
            f"{one.recovery.value:.3g} under a weak prior; range: quartiles of the posterior; "
            f"{induction.source}"
        )
    return {
        name: Measure(getattr(fit, name), n, status, source, *fit.quartiles[name])
        for name in _DYNAMICS
    }


def assemble_synapse(
    one: MeasuredPair,
    match: PspMatch,
    dynamics: Mapping[str, Measure],
    amplitude: str,
    spread: TimeConstants | None = None,
) -> Synapse:
    """One pair's record from its measurements, its conductance and its plasticity.

    Args:
        one, match, dynamics: the pair's measurements, conductance and plasticity.
        amplitude: which statistic the conductance reproduces, ``mean`` or ``median``.
        spread: time constants of the postsynaptic class, where they were fitted.
    """
    s = one.statistics
    excitatory = one.pre in EXCITATORY
    g = _conductance(s["psp_amplitude"], match, amplitude)
    rise, decay = _kinetics(s, match)
    bin_low, name, bin_high = EXCITATORY_HOLDING if excitatory else INHIBITORY_HOLDING
    moved = match.holding_mV != name
    holding = Measure(
        match.holding_mV,
        0,
        "assumed",
        (f"{_FITTED}potential that explains the decay, " if moved else "")
        + f"inside the recordings' bin {bin_low:g} to {bin_high:g} mV, called {name:g} mV "
        "(Campagnola et al. 2022, campagnola2022)",
        bin_low,
        bin_high,
    )
    reversal = (
        Measure(EXCITATORY_REVERSAL, 0, "assumed", _REVERSAL_SOURCE["excitatory"])
        if excitatory
        else Measure(INHIBITORY_REVERSAL, 0, "measured", _REVERSAL_SOURCE["inhibitory"], -74, -66)
    )
    return Synapse(
        pre=one.pre,
        post=one.post,
        probability=one.probability,
        sigma_um=one.sigma_um,
        delay_ms=s["latency"].as_measure(),
        rise_ms=rise,
        decay_ms=decay,
        g_nS=g,
        reversal_mV=reversal,
        **dynamics,
        psp_mV=s["psp_amplitude"].as_measure(amplitude),
        psp_median_mV=s["psp_amplitude"].as_measure("median"),
        psp_strong_mV=s["pulse_amp_90th_percentile"].as_measure(amplitude),
        **_potential_times(one, match),
        **_train_changes(one, dynamics, amplitude),
        g_log_sd=one.g_log_sd,
        holding_mV=holding,
        **_membrane(match, spread),
        exponential=match.exponential,
        slow=make_gaba_b(g) if one.pre == "Lamp5" else None,
    )


def _membrane(match: PspMatch, spread: TimeConstants | None) -> dict[str, Measure]:
    """Membrane of the postsynaptic cell: fitted inside its class, or that of the class model."""
    if spread is None or "Lamp5" in (match.pre, match.post):
        source = f"central cell of class {match.post}, other cells than the recorded ones"
        return {
            "membrane_ms": Measure(match.membrane_ms, 0, "proxy", source),
            "leak_nS": Measure(match.leak_nS, 0, "proxy", source),
        }
    n, where = spread.n, f"{spread.source}, other cells than the recorded ones"
    tau = (
        f"{_FITTED}time constant that explains rise and decay, between the quartiles and drawn to "
        f"the median of {where}"
    )
    leak = f"median of cells with this time constant (exponent {spread.exponent:.2f}), {where}"
    return {
        "membrane_ms": Measure(match.membrane_ms, n, "proxy", tau, spread.low_ms, spread.high_ms),
        "leak_nS": Measure(match.leak_nS, n, "proxy", leak),
    }


def _potential_times(one: MeasuredPair, match: PspMatch) -> dict[str, Measure]:
    """Rise and decay of the potential: measured, or evoked where no recording of the pair is."""
    if "Lamp5" not in (match.pre, match.post):
        return {
            "psp_rise_ms": one.statistics["psp_rise_time"].as_measure(),
            "psp_decay_ms": one.statistics["psp_decay_tau"].as_measure(),
        }
    status = "assumed" if match.pre == "Lamp5" else "proxy"
    source = f"evoked by the {status} conductance in the cell of class {match.post}"
    return {
        "psp_rise_ms": Measure(match.psp_rise_ms, 0, status, source),
        "psp_decay_ms": Measure(match.psp_decay_ms, 0, status, f"{source}, peak to 1/e"),
    }


def _train_changes(
    one: MeasuredPair, dynamics: Mapping[str, Measure], amplitude: str
) -> dict[str, Measure]:
    """Induction and recovery: measured, or what the plasticity gives where it has other sources."""
    if one.pre != "Lamp5" and (one.pre, one.post) != ("Sst", "Lamp5"):
        return {
            "stp_induction": one.statistics["stp_induction_50hz"].as_measure(),
            "stp_recovery": one.recovery,
        }
    release = simulate_release(PROTOCOL_MS, *(dynamics[k].value for k in _DYNAMICS))
    changes = measure_plasticity(release, _strong(one, amplitude))
    source = f"given by U, tau_d and tau_f: {dynamics['U'].source}"
    return {
        name: Measure(float(value), 0, dynamics["U"].status, source)
        for name, value in zip(("stp_induction", "stp_recovery"), changes, strict=True)
    }


def _strong(one: MeasuredPair, amplitude: str) -> float:
    """90th-percentile amplitude over the resting one."""
    strong = getattr(one.statistics["pulse_amp_90th_percentile"], amplitude)
    return float(strong / getattr(one.statistics["psp_amplitude"], amplitude))


def _conductance(psp: Statistic, match: PspMatch, amplitude: str) -> Measure:
    value = getattr(psp, amplitude)
    membrane = "AdEx" if match.exponential else "passive"
    # Potentials this small are in proportion to the conductance, and so are their quartiles.
    low, high = sorted(max(0.0, match.g_nS * q / value) for q in (psp.q25, psp.q75))
    source = (
        f"{_FITTED}{amplitude} resting potential {value:.3g} mV in the {membrane} cell of class "
        f"{match.post} with a time constant of {match.membrane_ms:.1f} ms, held at "
        f"{match.holding_mV:.1f} mV; {psp.source}"
    )
    return Measure(match.g_nS, psp.n, psp.status, source, low, high)


def _kinetics(statistics: Mapping[str, Statistic], match: PspMatch) -> tuple[Measure, Measure]:
    if match.pre == "Lamp5":
        return SLOW_GABA_A["rise_ms"], SLOW_GABA_A["decay_ms"]
    rise, decay = statistics["psp_rise_time"], statistics["psp_decay_tau"]
    if match.post == "Lamp5":
        how = f"geometric mean of {match.pre} onto PV, SST and VIP"
    else:
        how = (
            f"the potential's median rise {rise.median:.3g} and decay {decay.median:.3g} ms in the "
            f"cell of class {match.post}"
        )
    source, n = f"{_FITTED}{how}; {rise.source}", min(rise.n, decay.n)
    return (
        Measure(match.rise_ms, n, rise.status, source),
        Measure(match.decay_ms, n, rise.status, source),
    )
