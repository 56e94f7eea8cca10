"""How the spiking motif works: rates of all classes at rest, with two stimuli and when running."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from swta.cells.classes import LABELS
from swta.circuit.conditions import RUNNING, Condition, Context
from swta.circuit.network import Network, mixed_profile, tuned_drive
from swta.circuit.rate_targets import RATE_TARGETS, STATES, read_targets
from swta.circuit.spiking import SpikingResult
from swta.circuit.spiking_experiments import Trials

FloatArray = NDArray[np.float64]

SLOWEST_MS = 50.0  # ms, window in which a burst would show


@dataclass(frozen=True)
class RegimeResult:
    """Long runs in the `STATES`, one condition each; all spikes of network 0."""

    states: SpikingResult
    drive_khz: FloatArray  # the stimulus, (n_units,)
    settle_s: float


def simulate_regime(
    network: Network, trials: Trials, *, duration_s: float = 10.0, running: Context = RUNNING
) -> RegimeResult:
    """Rest, two stimuli, and one with VIP cells driven, long enough to drift, burst or die.

    Args:
        duration_s: simulated time of each state, s.
        running: the context of the state of this name.
    """
    drive = tuned_drive(network, trials.drive_khz)
    mixed = trials.drive_khz * mixed_profile(network.n_units)
    made = {"rest": Condition(0 * drive), "stimulus": Condition(drive), "mixed": Condition(mixed)}
    made["running"] = Condition(drive, running)
    conditions = [made[state] for state in STATES]
    states = trials.run(
        network, conditions, duration_s=duration_s, record=[(k, 0) for k in range(len(STATES))]
    )
    return RegimeResult(states, drive, trials.settle_s)


@dataclass(frozen=True)
class RegimeRates:
    """Rates against the ranges seen in vivo, and whether firing is irregular and steady."""

    targets: FloatArray  # of `RATE_TARGETS`, Hz or ratios, (n_targets, n_seeds)
    interval_cv: FloatArray  # median over the driven unit's cells, with a stimulus, (n_seeds,)
    drift: FloatArray  # last third over first third of the driven unit's rate, (n_seeds,)
    burst: FloatArray  # highest rate of any population in 50 ms over its mean, (4, n_seeds)
    quietest_hz: FloatArray  # lowest rate of a class in a second, (4, n_seeds)

    @property
    def inside(self) -> NDArray[np.bool_]:
        """Which targets hold for the mean over networks, (n_targets,)."""
        return np.array(
            [t.holds(float(v)) for t, v in zip(RATE_TARGETS, self.targets.mean(1), strict=True)]
        )


def measure_regime(result: RegimeResult) -> RegimeRates:
    """Rates (Hz) of the targets, CV of intervals, and whether a network drifts, bursts or dies."""
    states, settle = result.states, result.settle_s
    n_units = len(result.drive_khz)
    end = len(states.counts) * states.bin_ms / 1e3
    third = (end - settle) / 3
    driven = STATES.index("stimulus")
    early = states.mean_rates_hz(settle, settle + third)[driven, :, 0]
    late = states.mean_rates_hz(end - third)[driven, :, 0]
    kept = states.courses_hz[round(1e3 * settle / states.bin_ms) :]
    fine = _coarsen(kept, max(1, round(SLOWEST_MS / states.bin_ms)))
    burst = (fine.max(0) / np.maximum(fine.mean(0), 1.0)).max(-1)
    seconds = _coarsen(kept, min(len(kept), round(1e3 / states.bin_ms)))
    classes = np.concatenate(
        [seconds[..., :n_units].mean(-1, keepdims=True), seconds[..., n_units:]], axis=-1
    )
    return RegimeRates(
        read_targets(states.mean_rates_hz(settle), n_units),
        np.nanmedian(states.interval_cv[driven][:, : states.sizes[0]], axis=-1),
        late / np.maximum(early, 1e-9),
        burst,
        classes.min((0, -1)),
    )


def _coarsen(courses: FloatArray, steps: int) -> FloatArray:
    """Means of `steps` bins along the first axis; a rest at the end is left out."""
    whole = courses[: len(courses) // steps * steps]
    return np.asarray(whole.reshape(-1, steps, *courses.shape[1:]).mean(1))


def tabulate_regime(rates: RegimeRates) -> pd.DataFrame:
    """A row per target: mean and s.d. over networks, range in vivo, inside or not."""
    rows = []
    for target, values, inside in zip(RATE_TARGETS, rates.targets, rates.inside, strict=True):
        spread = float(values.std(ddof=1)) if len(values) > 1 else np.nan
        unit = "of that with stimulus" if target.ratio else "Hz"
        verdict = ("yes" if inside else "no") + (" (assumed range)" if target.assumed else "")
        rows.append(
            {
                "state": target.state,
                "class": LABELS[target.name],
                "mean": float(values.mean()),
                "s.d.": spread,
                "unit": unit,
                "low": target.low,
                "high": target.high,
                "inside": verdict,
                "role": "predicted" if target.predicted else "fitted",
            }
        )
    return pd.DataFrame(rows)
