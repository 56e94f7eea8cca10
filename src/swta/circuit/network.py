"""Parameters of the spiking motif: how many cells, who prefers what, and what drives them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import quad

from swta.cells.classes import CLASSES, INTERNEURONS
from swta.cells.synapses import INPUT
from swta.circuit.pathways import Adjustment, Pair, Pathway, adjust, load_pathways
from swta.validation import ParameterError, check_choice, check_integer, check_real

AFFERENT_FIELDS: Final = MappingProxyType(
    dict(zip(CLASSES, ("pyr", "pv", "sst", "vip", "lamp5"), strict=True))
)
# Fitted to rates by `swta.circuit.calibration.fit_rates`, as are the inputs of the classes below
# (`benchmarks/circuit.py --fit`).
ADJUSTMENTS: tuple[Adjustment, ...] = (
    Adjustment("Pvalb", "Pyr", 1.71, "fitted to: Pyr with a stimulus"),
    Adjustment("Vip", "Sst", 3.41, "fitted to: fall of SST when VIP cells are driven"),
    Adjustment("Pyr", "Sst", 1.32, "fitted to: SST with a stimulus"),
    Adjustment("Pyr", "Vip", 0.602, "fitted to: VIP with a stimulus"),
)


@dataclass(frozen=True)
class Afferents:
    """Poisson input of a class from outside the patch.

    Raises:
        ParameterError: a negative rate, gain or conductance.
    """

    background_khz: float  # kHz, summed rate of all background afferents of a cell
    own_gain: float = 0.0  # thalamic rate per rate of the cell's own unit, dimensionless
    shared_gain: float = 0.0  # thalamic rate per summed rate of all units, dimensionless
    synchrony: float = 4.0  # afferent spikes that arrive together; more makes firing irregular

    def __post_init__(self) -> None:
        check_real("background_khz", self.background_khz, low=0, unit="kHz")
        check_real("own_gain", self.own_gain, low=0)
        check_real("shared_gain", self.shared_gain, low=0)
        check_real("synchrony", self.synchrony, low=1)


@dataclass(frozen=True)
class Network:
    """A patch of layer 2/3 in which excitatory units compete.

    Raises:
        ParameterError: impossible sizes, more units than cells, a negative conductance.
    """

    n_units: int = 4  # preferred stimuli on a ring; our choice
    n_cells: int = 1250  # our choice, the size of the patch follows from the density
    excitatory_share: float = 0.8  # E:I 4:1 (reference range 3.5 to 4)
    pv_share: float = 0.40  # of the inhibitory cells; reference range 0.37 to 0.40
    sst_share: float = 0.25  # same; range 0.20 to 0.30
    vip_share: float = 0.15  # same; range 0.15 to 0.43
    lamp5_share: float = 0.20  # the rest
    pyr_per_mm2: float = 25_000.0  # L2/3 pyramidal cells under 1 mm² (Billeh et al. 2020)
    tuning_width_deg: float = 30.0  # s.d. of like-to-like excitation on the ring of 360°
    tuning_floor: float = 0.03  # E→E probability between unlike units over that within one
    nmda_ratio: float = 0.45  # NMDA over AMPA peak conductance of E→E
    nmda_decay_ms: float = 100.0  # ms
    magnesium_mM: float = 1.0  # block of NMDA receptors (Jahr and Stevens 1990)
    E_exc: float = 14.0  # mV, reversal of excitation in the frame of the recordings
    E_inh: float = -70.0  # mV, reversal of GABA-A in the same frame, measured
    adjustments: tuple[Adjustment, ...] = ADJUSTMENTS
    pyr: Afferents = Afferents(2.33, own_gain=1.0)
    pv: Afferents = Afferents(3.84, shared_gain=0.372)
    sst: Afferents = Afferents(9.34)
    vip: Afferents = Afferents(0.575)
    lamp5: Afferents = Afferents(2.74)

    def __post_init__(self) -> None:
        check_integer("n_units", self.n_units, low=2, high=16)
        check_integer("n_cells", self.n_cells, low=20, high=100_000)
        check_real("excitatory_share", self.excitatory_share, low=0.1, high=0.95)
        shares = [getattr(self, f"{n}_share") for n in ("pv", "sst", "vip", "lamp5")]
        for name, share in zip(("pv", "sst", "vip", "lamp5"), shares, strict=True):
            check_real(f"{name}_share", share, low=0, high=1)
        if not np.isclose(sum(shares), 1.0):
            raise ParameterError(
                f"the inhibitory shares add up to {sum(shares):g}; allowed: 1. Change another one"
            )
        sizes = self.sizes
        if min(sizes.values()) < 1:
            small = min(sizes, key=lambda name: sizes[name])
            raise ParameterError(
                f"n_cells = {self.n_cells} leaves no {small} cell; allowed: at least one of each "
                "class. Raise n_cells or the share"
            )
        if sizes["Pyr"] < 4 * self.n_units:
            raise ParameterError(
                f"n_units = {self.n_units} for {sizes['Pyr']} pyramidal cells; allowed: at least "
                "four cells per unit. Raise n_cells or lower n_units"
            )
        check_real("pyr_per_mm2", self.pyr_per_mm2, low=0, open_low=True)
        check_real("tuning_width_deg", self.tuning_width_deg, low=0, open_low=True, unit="degrees")
        check_real("tuning_floor", self.tuning_floor, low=0, high=1)
        check_real("nmda_ratio", self.nmda_ratio, low=0)
        check_real("nmda_decay_ms", self.nmda_decay_ms, low=1, unit="ms")
        check_real("magnesium_mM", self.magnesium_mM, low=0, unit="mM")
        check_real("E_exc", self.E_exc, low=-20, high=60, unit="mV")
        check_real("E_inh", self.E_inh, low=-100, high=-40, unit="mV")

    @property
    def sizes(self) -> dict[str, int]:
        """Cells of each class; the pyramidal cells are a multiple of the units."""
        unit = round(self.n_cells * self.excitatory_share / self.n_units)
        rest = self.n_cells - unit * self.n_units
        sizes = {"Pyr": unit * self.n_units}
        for name, field_name in zip(INTERNEURONS, ("pv", "sst", "vip", "lamp5"), strict=True):
            sizes[name] = round(rest * getattr(self, f"{field_name}_share"))
        return sizes

    @property
    def radius_um(self) -> float:
        """Radius of the disc that holds the pyramidal cells, in µm."""
        return 1e3 * float(np.sqrt(self.sizes["Pyr"] / (np.pi * self.pyr_per_mm2)))

    def afferents(self, name: str) -> Afferents:
        """External input of a class.

        Raises:
            ParameterError: unknown class.
        """
        check_choice("name", name, CLASSES)
        found: Afferents = getattr(self, AFFERENT_FIELDS[name])
        return found

    def pathways(self) -> Mapping[Pair, Pathway]:
        """Pathways between the classes with their adjusted conductances, by (pre, post)."""
        adjusted = adjust(load_pathways(), self.adjustments)
        return {k: p for k, p in adjusted.items() if k[0] != INPUT and p.probability > 0}

    def arrival_nS(self, name: str) -> float:
        """Peak conductance (nS) that one joint arrival of afferent spikes opens in a class.

        It decays as the class's recurrent excitation does, with the area of the measured input.
        """
        pathways = adjust(load_pathways(), self.adjustments)
        one, decay = pathways[INPUT, name], pathways["Pyr", name].decay_ms
        return self.afferents(name).synchrony * one.g_nS * one.decay_ms / decay

    def probability(self, pathway: Pathway) -> float:
        """Mean connection probability of two cells at random places of the patch."""
        return pathway.probability * mean_falloff(self.radius_um, pathway.sigma_um)

    def excitatory_probabilities(self, pathway: Pathway) -> NDArray[np.float64]:
        """E→E connection probability from unit (column) to unit (row), (n_units, n_units).

        Like prefers like (Ko et al. 2011): a Gaussian of the distance on the ring above a floor.
        The mean over all pairs of units is that of the slice, so preference moves connections and
        adds none, up to a largest probability of 0.95.
        """
        steps = np.arange(self.n_units)
        gap = np.abs(steps[:, None] - steps[None, :])
        degrees = 360.0 / self.n_units * np.minimum(gap, self.n_units - gap)
        shape = self.tuning_floor + (1 - self.tuning_floor) * np.exp(
            -0.5 * (degrees / self.tuning_width_deg) ** 2
        )
        return np.minimum(self.probability(pathway) * shape / shape.mean(), 0.95)


def mean_falloff(radius_um: float, sigma_um: float) -> float:
    """Mean of exp(-d²/2σ²) over two independent uniform points of a disc, dimensionless.

    The distance d of two points in a disc of radius R has the density
    (4 s / πR²) (arccos(s/2R) - (s/2R) √(1 - (s/2R)²)) for s = d (disc line picking).
    """

    def integrand(x: float) -> float:
        density = 16 * x / np.pi * (np.arccos(x) - x * np.sqrt(1 - x * x))
        return float(density * np.exp(-0.5 * (2 * radius_um * x / sigma_um) ** 2))

    return float(quad(integrand, 0, 1)[0])


def tuned_drive(
    network: Network, peak_khz: float, *, width_deg: float = 60.0
) -> NDArray[np.float64]:
    """Thalamic rates (kHz) of a stimulus that unit 0 prefers, a Gaussian, (n_units,)."""
    check_real("width_deg", width_deg, low=0, open_low=True, unit="degrees")
    steps = np.arange(network.n_units)
    degrees = 360.0 / network.n_units * np.minimum(steps, network.n_units - steps)
    return np.asarray(peak_khz * np.exp(-0.5 * (degrees / width_deg) ** 2))


def mixed_profile(n_units: int, *, ground: float = 0.5) -> NDArray[np.float64]:
    """Drive over the largest: a peak for unit 0 on a ground for all others, (n_units,)."""
    check_real("ground", ground, low=0, high=1, open_high=True)
    return np.r_[1.0, np.full(n_units - 1, ground)]
