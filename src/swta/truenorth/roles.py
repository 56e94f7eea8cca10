r"""The lesions of the spiking network on the chip: one primitive away, and every function again.

The functions are those of `swta.circuit.lesions`, but for memory, which needs a context that the
chip's motif does not have. A lesion's vector is the logarithm of each function over its intact
value, so that doubling and halving count alike and no unit does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from swta.cells.classes import INTERNEURONS, LABELS
from swta.circuit.lesions import FUNCTIONS, VariantResult
from swta.circuit.rate_targets import RATE_TARGETS
from swta.circuit.spiking_experiments import ModulationCurves, Noise
from swta.circuit.spiking_measures import snr_of
from swta.truenorth.mapping import PRIMITIVES
from swta.truenorth.matched_runs import simulate_matched
from swta.truenorth.matching import MatchedMotif, without_primitive
from swta.validation import ParameterError, check_integer, check_real

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

CHIP_FUNCTIONS: Final = tuple(name for name in FUNCTIONS if name != "memory")
MATCHED_FUNCTIONS: Final = ("slope",)  # gain matching takes them from the lesioned network
DRIVEN: Final = ("Vip", "Lamp5")  # classes whose removal changes little
WEAKER: Final = 0.6  # drive of the lone unit's second point over the first, as in the network
LEAST_RESOLVED: Final = 3  # changes; a correlation needs as many
CLOSE: Final = 0.9  # correlation within a class that counts as the same role
SMALLEST: Final = 0.02  # stands for a function that is zero or negative, so that logarithms exist


@dataclass(frozen=True, eq=False)
class RoleResult:
    """Every function on the chip, intact (row 0) and without each primitive."""

    variants: tuple[str, ...]  # "intact", then the primitives
    functions: tuple[str, ...]
    values: FloatArray  # (n_variants, n_functions, n_seeds)


def vip_drive() -> float:
    """Rate of VIP cells in locomotion over that with a stimulus, centres of the target ranges."""
    centre = {t.state: t.centre for t in RATE_TARGETS if t.name == "Vip"}
    return centre["running"] / centre["stimulus"]


def simulate_roles(
    mapped: MatchedMotif,
    *,
    drive_khz: float,
    ratio: float,
    gain: float,
    noise: Noise = Noise(patterns=4),
    running: float | None = None,
    n_ticks: int,
    seeds: int,
    seed: int,
) -> RoleResult:
    """Measure the functions of the motif on the chip, intact and without each primitive.

    Args:
        mapped: the intact motif.
        drive_khz: drive of the strong unit.
        ratio: drive of its rival over it.
        gain: threshold without LAMP5 over that with it.
        noise: noisy profiles for the signal-to-noise ratio, drawn as in the network.
        running: VIP's leak in locomotion over that with a stimulus; None: as the rates of VIP
            cells.
        n_ticks: ticks to measure.
        seeds: repetitions with other input spikes.
        seed: of the first; also that of the noisy profiles, the same in all.
    """
    check_integer("seeds", seeds, low=1)
    more = vip_drive() if running is None else check_real("running", running, low=0)
    n = mapped.layout.n_units
    noisy = noise.draw(n, 1.0, seed)
    first = np.array([[1, ratio], [1, ratio], [0, ratio], [1, 0], [WEAKER, 0], [1, ratio]])
    relative = np.concatenate([np.pad(first, ((0, 0), (0, n - 2))), noisy])
    motifs: list[MatchedMotif] = []
    versions = [mapped, *(without_primitive(mapped, name, gain=gain) for name in PRIMITIVES)]
    for each in versions:
        driven = each.with_vip((more - 1) * each.realised.vip_hz)
        motifs += [each, each.without_recurrence(), each, each, each, driven]
        motifs += [each] * len(noisy)
    drives = np.tile(drive_khz * relative, (len(versions), 1))
    runs = [simulate_matched(motifs, drives, n_ticks=n_ticks, seed=seed + k) for k in range(seeds)]
    rates = np.stack(runs, axis=1).reshape(len(versions), len(relative), seeds, n)
    values = np.stack([_reduce(one, noisy, drive_khz) for one in rates])
    return RoleResult(("intact", *PRIMITIVES), CHIP_FUNCTIONS, values)


def lesion_vectors(result: RoleResult | VariantResult) -> FloatArray:
    """Logarithm of each function without a class over its intact value, (4, n_functions).

    Of the means over seeds; NaN where a network ran away, or fell silent below a ratio.

    Raises:
        ParameterError: a result without a removed class.
    """
    return _vectors(result, result.values.mean(2, keepdims=True))[0]


def measure_lesion_errors(result: RoleResult | VariantResult) -> FloatArray:
    """Standard error of ``lesion_vectors`` over seeds, by jackknife, (4, n_functions).

    Raises:
        ParameterError: fewer than two seeds, or a result without a removed class.
    """
    n = check_integer("seeds", result.values.shape[2], low=2)
    rest = (result.values.sum(2, keepdims=True) - result.values) / (n - 1)
    return np.asarray(np.sqrt((n - 1) * _vectors(result, rest).var(0)))


def match_vip(network: VariantResult, pool_hz: float) -> float:
    """What VIP cells add to the threshold of SST cells, as summed rate of the units, Hz.

    SST cells are taken to fire as S = s (E - T) for a summed rate E of the units, and T to fall by
    P without VIP cells: P = T - E' + (E - T) S' / S, with E' and S' measured there.

    Args:
        network: lesions of the spiking network.
        pool_hz: the threshold T in the intact network.

    Raises:
        ParameterError: a result without a removed class.
    """
    loads = network.loads.mean(1)[[0, _rows(network)[PRIMITIVES.index("Vip")]]]
    n_units = loads.shape[1] - len(INTERNEURONS)
    return max(-_later(loads, n_units, pool_hz), 0.0)


def match_lamp5(network: VariantResult, alpha: float, loop: float) -> float:
    """Threshold without LAMP5 over that with it which changes a lone unit's slope as the network's.

    With all slopes into the unit divided by g, its slope is k / (g + β₁β₂ - α).

    Args:
        network: lesions of the spiking network.
        alpha, loop: of the motif on the chip.
    """
    ratio = float(np.exp(lesion_vectors(network)[_place("Lamp5", "slope")]))
    return _threshold_ratio(ratio, alpha, loop)


@dataclass(frozen=True, eq=False)
class DrivenResult:
    """A lone unit while VIP or LAMP5 cells are driven, logarithm of its rate over that without.

    Rows are VIP and LAMP5. The chip's whole numbers come from the rates of SST cells and from the
    slope of the unit's curve; the sizes of both changes are predictions.
    """

    network: FloatArray  # (2, n_drives)
    network_error: FloatArray  # standard error over networks
    chip: FloatArray
    chip_error: FloatArray  # over runs


def simulate_driven(
    mapped: MatchedMotif,
    curves: ModulationCurves,
    *,
    pool_hz: float,
    n_ticks: int,
    seeds: int,
    seed: int,
) -> DrivenResult:
    """Strengthen VIP's and LAMP5's primitives as much as driving the cells changes the network.

    Args:
        mapped: the intact motif.
        curves: the network with VIP and with LAMP5 cells driven; the last level counts.
        pool_hz: summed rate of the units at which SST cells start, as measured.
        n_ticks: ticks to measure.
        seeds: repetitions with other input spikes.
        seed: of the first.

    Raises:
        ParameterError: other classes driven, or fewer than two networks or seeds.
    """
    if curves.handles != DRIVEN:
        raise ParameterError(f"curves of {curves.handles}; allowed: {DRIVEN}, in this order")
    check_integer("networks", curves.rates.shape[3], low=2)
    check_integer("seeds", seeds, low=2)
    before_after = curves.rates[:, [0, -1]]
    mean = before_after.mean(3)
    rise = np.maximum(mean[1, :, -1, 0] - mean[1, :, 0, 0], SMALLEST)
    later = _later(mean[0, :, -1], mapped.layout.n_units, pool_hz)
    made = mapped.realised
    gain = _threshold_ratio(rise[1] / rise[0], made.alpha, made.loop + made.pv_loop)
    versions = [
        mapped,
        mapped.with_vip(max(later, 0.0)),
        without_primitive(mapped, "Lamp5", gain=gain),
    ]
    n = len(curves.drives_khz)
    drives = np.tile(np.stack([curves.drives_khz, np.zeros(n)], axis=1), (len(versions), 1))
    motifs = [each for each in versions for _ in range(n)]
    runs = [simulate_matched(motifs, drives, n_ticks=n_ticks, seed=seed + k) for k in range(seeds)]
    alone = np.stack(runs, axis=-1)[:, 0].reshape(len(versions), n, seeds)
    chip = np.stack([np.broadcast_to(alone[0], (2, n, seeds)), alone[1:]])
    network = np.moveaxis(before_after[..., 0], 1, 0)
    return DrivenResult(*_log_change(network), *_log_change(chip))


@dataclass(frozen=True, eq=False)
class Correspondence:
    """How the lesion vectors of chip and network agree, and how well they are known."""

    r: float  # over classes and functions
    n: int  # entries in it
    scaled_r: float  # the same, each class over its root mean square in the network
    by_class: FloatArray  # within each class, (4,)
    reliability: float  # of the network's vectors
    chip_reliability: float  # of the chip's
    resolved: IntArray  # changes in the network above twice their noise, by class, (4,)

    @property
    def shown(self) -> int:
        """Classes with ``LEAST_RESOLVED`` resolved changes and a correlation above ``CLOSE``."""
        return int(((self.resolved >= LEAST_RESOLVED) & (self.by_class > CLOSE)).sum())


def correlate_roles(chip: RoleResult, network: VariantResult) -> Correspondence:
    """Correlate the lesion vectors of chip and network.

    A lone unit's slope is left out, because gain matching takes it from the network without PV, SST
    or LAMP5 cells. So are functions of networks that ran away.

    The reliability of a vector is the share of its variance that is not noise. Noise alone keeps
    the correlation of two vectors below the geometric mean of their reliabilities. The noise of a
    change is its standard error over seeds; with few seeds that is itself noisy, so for
    ``resolved`` its root mean square over the classes is taken, function by function.

    Raises:
        ParameterError: fewer than two seeds on either side, or fewer than three entries.
    """
    ours, theirs = lesion_vectors(chip), lesion_vectors(network)
    our_noise, their_noise = measure_lesion_errors(chip), measure_lesion_errors(network)
    used = np.isfinite(ours + theirs + our_noise + their_noise)
    used[:, [CHIP_FUNCTIONS.index(name) for name in MATCHED_FUNCTIONS]] = False
    if used.sum() < 3:
        raise ParameterError(
            f"{int(used.sum())} functions are finite with and without a class; allowed: 3 or more. "
            "Take larger networks or longer times"
        )
    count = np.maximum(used.sum(1), 1)
    size = np.sqrt((theirs**2).sum(1, where=used) / count)[:, None]
    size[size == 0] = 1.0
    noise = (their_noise**2).sum(0, where=used) / np.maximum(used.sum(0), 1)
    return Correspondence(
        r=_correlate(ours[used], theirs[used]),
        n=int(used.sum()),
        scaled_r=_correlate((ours / size)[used], (theirs / size)[used]),
        by_class=np.array([_correlate(*pair) for pair in _by_class(used, ours, theirs)]),
        reliability=_reliability(theirs[used], their_noise[used]),
        chip_reliability=_reliability(ours[used], our_noise[used]),
        resolved=((np.abs(theirs) > 2 * np.sqrt(noise)) & used).sum(1),
    )


def _later(loads: FloatArray, n_units: int, pool_hz: float) -> float:
    """How much later SST cells start (Hz of the units) in row 1 of population rates than in row 0.

    They are taken to fire as s (E - T). 0 where they do not fire in row 0, or a network ran away.
    """
    units, sst = loads[:, :n_units].sum(1), loads[:, n_units + INTERNEURONS.index("Sst")]
    if not np.isfinite(loads).all() or sst[0] == 0:
        return 0.0
    return float(units[1] - pool_hz - (units[0] - pool_hz) * sst[1] / sst[0])


def _threshold_ratio(slopes: float, alpha: float, loop: float) -> float:
    """Ratio of thresholds that makes a ratio of a lone unit's slopes, k / (g + β₁β₂ - α)."""
    return float(np.clip((1 + loop - alpha) / slopes + alpha - loop, 0.05, 20.0))


def _log_change(rates: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Logarithm of rates[1] over rates[0], means over the last axis, and its jackknife error."""
    n = rates.shape[-1]
    rest = (rates.sum(-1, keepdims=True) - rates) / (n - 1)
    mean, left = (
        np.log(np.maximum(each[1], SMALLEST) / np.maximum(each[0], SMALLEST))
        for each in (rates.mean(-1), rest)
    )
    return mean, np.sqrt((n - 1) * left.var(-1))


def _by_class(used: BoolArray, *vectors: FloatArray) -> list[list[FloatArray]]:
    return [[each[k, used[k]] for each in vectors] for k in range(len(used))]


def _rows(result: RoleResult | VariantResult) -> list[int]:
    """Places of the variants without each class, in the order of ``PRIMITIVES``."""
    names = {name: (name, f"{LABELS[name]} 0 %") for name in PRIMITIVES}
    rows = []
    for name, spellings in names.items():
        found = [k for k, variant in enumerate(result.variants) if variant in spellings]
        if not found:
            raise ParameterError(
                f"no variant without {name} among {', '.join(result.variants)}; give all four"
            )
        rows.append(found[0])
    return rows


def _vectors(result: RoleResult | VariantResult, values: FloatArray) -> FloatArray:
    """Lesion vectors of values (n_variants, n_functions, n), (n, 4, n_functions)."""
    rows = _rows(result)
    columns = [result.functions.index(name) for name in CHIP_FUNCTIONS]
    kept = np.maximum(values, SMALLEST)[:, columns]
    kept[np.isinf(kept)] = np.nan
    return np.asarray(np.moveaxis(np.log(kept[rows] / kept[0]), 2, 0))


def _correlate(one: FloatArray, other: FloatArray) -> float:
    """Correlation; 0 for fewer than three entries or without variance."""
    if len(one) < 3 or np.ptp(one) == 0 or np.ptp(other) == 0:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])


def _reliability(vector: FloatArray, noise: FloatArray) -> float:
    """Share of the variance of a vector's entries that its standard errors leave, 0 to 1."""
    variance = float(vector.var(ddof=1))
    return max(1 - float((noise**2).mean()) / variance, 0.0) if variance > 0 else 0.0


def _place(primitive: str, function: str) -> tuple[int, int]:
    return PRIMITIVES.index(primitive), CHIP_FUNCTIONS.index(function)


def _reduce(rates: FloatArray, noisy: FloatArray, drive_khz: float) -> FloatArray:
    """Rates (n_conditions, n_seeds, n_units) to the functions, (n_functions, n_seeds)."""
    together, feed_forward, rival, strong, weaker, running = rates[:6]
    total = together[:, 0] + together[:, 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        found = {
            "evoked rate": together[:, 0],
            "winner gain": together[:, 0] / feed_forward[:, 0],
            "loser fraction": together[:, 1] / rival[:, 1],
            "selectivity": (together[:, 0] - together[:, 1]) / total,
            "slope": (strong[:, 0] - weaker[:, 0]) / ((1 - WEAKER) * drive_khz),
            "normalisation": total / (strong[:, 0] + rival[:, 1]),
            "disinhibition": running[:, 0] / together[:, 0],
            "SNR gain": snr_of(np.swapaxes(rates[6:], 0, 1)) / snr_of(noisy),
        }
    return np.stack([found[name] for name in CHIP_FUNCTIONS])
