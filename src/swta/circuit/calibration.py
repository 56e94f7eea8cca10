"""What slices do not give, fitted to rates seen in vivo: inputs, and one factor on four pathways.

Slices cut axons and the recordings know nothing of the input to a patch. So the background input of
each class, the thalamic input of PV cells and a factor on the conductance of four pathways are
free. They are chosen by rates alone, in networks that no experiment uses: by how each class fires
at rest, with a stimulus for one unit and one for all, and when the VIP cells are driven as they are
during locomotion. How units compete is not looked at, nor whether driving VIP cells disinhibits the
pyramidal cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import least_squares

from swta.cells.classes import CLASSES, LABELS
from swta.circuit.conditions import Condition, Context
from swta.circuit.network import AFFERENT_FIELDS, Network, mixed_profile, tuned_drive
from swta.circuit.pathways import Adjustment, Pair
from swta.circuit.rate_targets import RATE_TARGETS, STATES, read_targets
from swta.circuit.spiking import simulate_spiking
from swta.circuit.wiring import build_wiring
from swta.validation import ParameterError, check_integer, check_real

FloatArray = NDArray[np.float64]

FACTOR_SD: Final = float(np.log(2.0))  # a factor of two away from the slice is one s.d.


FACTORS: Final[MappingProxyType[Pair, str]] = MappingProxyType(
    {
        ("Pvalb", "Pyr"): "Pyr with a stimulus",
        ("Vip", "Sst"): "fall of SST when VIP cells are driven",
        ("Pyr", "Sst"): "SST with a stimulus",
        ("Pyr", "Vip"): "VIP with a stimulus",
    }
)
# Steps of the logarithm for slopes: rates rise steeply with background, mildly with the others.
_STEP_BACKGROUND: Final = 0.05
_STEP_OTHER: Final = 0.5


@dataclass(frozen=True)
class RateFit:
    """A network fitted to rates."""

    network: Network
    running: Context  # the context of the state running
    rates: FloatArray  # of the targets, Hz or ratios, (n_targets, n_seeds)
    misfit: float  # sum of squared deviations of rates and factors, each over its s.d.
    runs: int  # simulations of a candidate

    def tabulate(self) -> pd.DataFrame:
        """A row per target: state, class, fitted mean, range, inside or not."""
        means = self.rates.mean(1)
        return pd.DataFrame(
            [
                (t.state, LABELS[t.name], float(m), t.low, t.high, t.holds(float(m)))
                for t, m in zip(RATE_TARGETS, means, strict=True)
            ],
            columns=["state", "class", "fitted", "low", "high", "inside"],
        )


def fit_rates(
    network: Network,
    running: Context,
    drive_khz: float,
    *,
    seeds: int = 3,
    first_seed: int = 100,
    duration_s: float = 2.0,
    settle_s: float = 0.4,
    steps: int = 6,
    processes: int = 1,
    compiled: bool | None = None,
) -> RateFit:
    """Backgrounds, PV's thalamic gain, four factors and the running context from rates.

    Nonlinear least squares in logarithms: the deviation of each rate from the centre of its range
    over the range's s.d., but for those that are predicted, and the deviation of each factor from
    one over `FACTOR_SD`. All candidates of a set of slopes are one batched run.

    Args:
        network: where to start; its adjustments of other pathways stay.
        running: drive to VIP cells where to start.
        drive_khz: thalamic rate of the unit that prefers the stimulus, which is not fitted.
        seeds, first_seed: networks whose rates are averaged; no experiment may use them.
        duration_s: simulated time of each state, with the first ``settle_s`` left out.
        steps: most evaluations of the slopes.

    Raises:
        ParameterError: a start without background, gain, factor or drive to VIP cells.
    """
    check_real("drive_khz", drive_khz, low=0, open_low=True, unit="kHz")
    check_integer("steps", steps, low=1)
    check_integer("seeds", seeds, low=1)
    problem = _Problem(
        network,
        drive_khz,
        [build_wiring(_bare(network), seed=first_seed + k) for k in range(seeds)],
        {
            "duration_s": check_real("duration_s", duration_s, low=settle_s + 0.2, unit="s"),
            "seed": first_seed,
            "processes": processes,
            "compiled": compiled,
        },
        check_real("settle_s", settle_s, low=0.1, unit="s"),
    )
    start = _pack(network, running)
    if not (np.isfinite(start).all() and (start > -20).all()):
        raise ParameterError(
            "the start lacks a positive background, thalamic gain of PV, factor, or drive of "
            "vip_khz; give all of them"
        )
    found = least_squares(
        problem.residuals, start, jac=problem.slopes, max_nfev=steps, x_scale=problem.scale
    )
    rates = problem.rates([found.x])[0]
    fitted, context = _unpack(network, running, found.x)
    return RateFit(fitted, context, rates, 2 * float(found.cost), int(found.nfev + found.njev))


class _Problem:
    def __init__(
        self,
        network: Network,
        drive_khz: float,
        wirings: Sequence[Any],
        run: dict[str, Any],
        settle_s: float,
    ) -> None:
        self.network, self.wirings, self.run, self.settle = network, wirings, run, settle_s
        stimulus = tuned_drive(network, drive_khz)
        self.drives = {"rest": 0 * stimulus, "stimulus": stimulus, "running": stimulus}
        self.drives["mixed"] = drive_khz * mixed_profile(network.n_units)
        self.scale = np.r_[np.full(len(CLASSES), 0.1), np.ones(2 + len(FACTORS))]
        self.step = np.r_[
            np.full(len(CLASSES), _STEP_BACKGROUND), np.full(2 + len(FACTORS), _STEP_OTHER)
        ]

    def rates(self, points: Sequence[FloatArray]) -> list[FloatArray]:
        """Rates and ratios of the targets at each point, (n_targets, n_seeds)."""
        conditions = [c for x in points for c in self._states(x)]
        result = simulate_spiking(self.wirings, conditions, settle_s=self.settle, **self.run)
        found = result.mean_rates_hz(self.settle).reshape(
            len(points), len(STATES), len(self.wirings), len(result.populations)
        )
        return [read_targets(one, self.network.n_units) for one in found]

    def _states(self, x: FloatArray) -> list[Condition]:
        """The `STATES` at a point, in the bare network."""
        values = np.exp(x)
        background = dict(zip(CLASSES, values, strict=False))
        pv_gain, running = values[len(CLASSES) : len(CLASSES) + 2]
        efficacy = dict(zip(FACTORS, values[len(CLASSES) + 2 :], strict=True))
        states = []
        for state in STATES:
            drive, vip = self.drives[state], running if state == "running" else 0.0
            extra = dict(background)
            extra["Pvalb"] += pv_gain * drive.sum()
            states.append(
                Condition(drive, Context(vip_khz=vip), extra_khz=extra, efficacy=efficacy)
            )
        return states

    def residuals(self, x: FloatArray) -> FloatArray:
        return self._deviations(x, self.rates([x])[0])

    def slopes(self, x: FloatArray) -> FloatArray:
        """Forward differences, the point itself among the runs, so that both have one length."""
        points = [x, *(x + self.step[k] * np.eye(len(x))[k] for k in range(len(x)))]
        found = [self._deviations(p, r) for p, r in zip(points, self.rates(points), strict=True)]
        return np.stack([(f - found[0]) / s for f, s in zip(found[1:], self.step, strict=True)], 1)

    def _deviations(self, x: FloatArray, rates: FloatArray) -> FloatArray:
        miss = [
            np.log(r.mean() / t.centre) / t.log_sd
            for t, r in zip(RATE_TARGETS, rates, strict=True)
            if not t.predicted
        ]
        return np.r_[miss, x[len(CLASSES) + 2 :] / FACTOR_SD]


def _bare(network: Network) -> Network:
    """The network without background, PV's thalamic gain, and factors on the fitted pathways."""
    kept = tuple(a for a in network.adjustments if (a.pre, a.post) not in FACTORS)
    inputs = {
        field: replace(network.afferents(name), background_khz=0.0)
        for name, field in AFFERENT_FIELDS.items()
    }
    inputs["pv"] = replace(inputs["pv"], shared_gain=0.0)
    return replace(network, adjustments=kept, **inputs)  # type: ignore[arg-type]


def _pack(network: Network, running: Context) -> FloatArray:
    """Logarithms of the unknowns: five backgrounds, PV's gain, drive of VIP, four factors."""
    background = [network.afferents(name).background_khz for name in CLASSES]
    factors = {(a.pre, a.post): a.factor for a in network.adjustments}
    with np.errstate(divide="ignore"):
        return np.log(
            [
                *background,
                network.pv.shared_gain,
                running.vip_khz,
                *(factors.get(pair, 1.0) for pair in FACTORS),
            ]
        )


def _unpack(network: Network, running: Context, x: FloatArray) -> tuple[Network, Context]:
    values = [float(f"{v:.3g}") for v in np.exp(x)]
    n = len(CLASSES)
    inputs = {
        field: replace(network.afferents(name), background_khz=value)
        for (name, field), value in zip(AFFERENT_FIELDS.items(), values, strict=False)
    }
    inputs["pv"] = replace(inputs["pv"], shared_gain=values[n])
    kept = tuple(a for a in network.adjustments if (a.pre, a.post) not in FACTORS)
    fitted = tuple(
        Adjustment(pre, post, value, f"fitted to: {why}")
        for ((pre, post), why), value in zip(FACTORS.items(), values[n + 2 :], strict=True)
    )
    changed = replace(network, adjustments=kept + fitted, **inputs)  # type: ignore[arg-type]
    return changed, replace(running, vip_khz=values[n + 1])
