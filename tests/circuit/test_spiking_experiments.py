from __future__ import annotations

import numpy as np
import pytest

from swta.cells.classes import CLASSES
from swta.circuit.bistability import (
    BISTABLE,
    SOFT,
    Staircase,
    simulate_boundary,
    simulate_dwell,
    simulate_loops,
)
from swta.circuit.conditions import Context
from swta.circuit.lesions import (
    FUNCTIONS,
    lamp5_variants,
    lesion_variants,
    simulate_variants,
)
from swta.circuit.network import Network
from swta.circuit.regime import simulate_regime
from swta.circuit.sensitivity import simulate_assumption
from swta.circuit.spiking_experiments import (
    Noise,
    Trials,
    simulate_drive_to_classes,
    simulate_noisy_profiles,
    simulate_perturbation,
    simulate_profiles,
    simulate_transfer_spiking,
)
from swta.validation import ParameterError

SMALL = Network(n_cells=100, n_units=2)
PER_KHZ = 10_000  # spikes that stand for 1 kHz; many, for counts are rounded


class Recorder:
    """Stands in for the simulation: notes the conditions and returns rates made from them."""

    def __init__(self) -> None:
        self.conditions: list = []
        self.duration_s = 0.0

    def __call__(self, wirings, conditions, *, duration_s, bin_ms=10.0, record=(), **_):
        from swta.circuit.spiking import SpikingResult

        self.conditions, self.duration_s = list(conditions), duration_s
        first = wirings[0]
        bins = round(1e3 * duration_s / bin_ms)
        sizes = np.bincount(first.population)
        counts = np.zeros((bins, len(conditions), len(wirings), len(sizes)), dtype=np.int32)
        for k in range(bins):
            for c, condition in enumerate(conditions):
                # Spikes that encode drive and pathway, halved without E→E.
                rates = PER_KHZ * condition.external_khz(first, k * bin_ms)
                rates[: first.network.n_units] = PER_KHZ * condition.drive_at(k * bin_ms)
                factor = condition.efficacy.get(("Pyr", "Pyr"), 1.0)
                counts[k, c] = np.rint(rates * (1 + factor) / 2)
        cv = np.full((len(conditions), len(wirings), first.n_cells), np.nan)
        kept = {place: (np.zeros(0), np.zeros(0, dtype=int)) for place in record}
        return SpikingResult(first.populations, sizes, bin_ms, counts, cv, kept)


@pytest.fixture
def recorder(monkeypatch):
    from swta.circuit import spiking_experiments

    one = Recorder()
    monkeypatch.setattr(spiking_experiments, "simulate_spiking", one)
    return one


def _per_khz(network=SMALL):
    """Hz that the recorder gives to a unit per kHz of drive."""
    return PER_KHZ / (network.sizes["Pyr"] / network.n_units) / 0.01


TRIALS = Trials(drive_khz=2.0, seeds=2, settle_s=0.1, measure_s=0.1)


def test_transfer_sorts_its_conditions(recorder):
    result = simulate_transfer_spiking(SMALL, TRIALS, (0.5, 1.0))
    unit = _per_khz()
    assert result.together[:, 0, 0] == pytest.approx(2 * unit)
    assert result.together[:, 0, 1] == pytest.approx([1 * unit, 2 * unit])
    assert result.rival_alone[:, 0, 0] == pytest.approx(0)
    assert result.rival_alone[:, 0, 1] == pytest.approx([1 * unit, 2 * unit])
    assert result.without_recurrence[:, 0, 0] == pytest.approx(unit)
    assert result.rival_alone_without_recurrence[:, 0, 1] == pytest.approx([unit / 2, unit])
    assert result.strong_alone[0, :2] == pytest.approx([2 * unit, 0])
    assert result.together.shape == (2, 2, 6)


def test_class_drive_reaches_one_class_at_a_time(recorder):
    curves = simulate_drive_to_classes(SMALL, TRIALS, levels_khz=(0.0, 3.0), relative=(0.5, 1.0))
    for h, name in enumerate(curves.handles):
        change = (curves.rates[h, 1] - curves.rates[h, 0])[0, 0]
        for k, other in enumerate(CLASSES[1:]):
            wanted = 3 * PER_KHZ / SMALL.sizes[other] / 0.01 if other == name else 0
            assert change[2 + k] == pytest.approx(wanted, rel=1e-3)
    assert curves.drives_khz == pytest.approx([1.0, 2.0])
    with pytest.raises(ParameterError, match="0 first"):
        simulate_drive_to_classes(SMALL, TRIALS, levels_khz=(1.0, 2.0))
    with pytest.raises(ParameterError, match="handles = 'Pyr' is unknown"):
        simulate_drive_to_classes(SMALL, TRIALS, handles=("Pyr",))


def test_profiles_and_noise(recorder):
    result = simulate_profiles(SMALL, TRIALS, [[1.0, 0.5]])
    assert result.rates[0, 0] == pytest.approx(np.array([2.0, 1.0]) * _per_khz())
    assert result.without_recurrence[0, 0] == pytest.approx(np.array([1.0, 0.5]) * _per_khz())
    with pytest.raises(ParameterError, match="does not fit 2 units"):
        simulate_profiles(SMALL, TRIALS, [[1.0, 0.5, 0.2]])
    noisy = simulate_noisy_profiles(SMALL, TRIALS, Noise(patterns=40))
    assert noisy.outputs.shape == (2, 40, 2)
    assert noisy.inputs_khz.std((0, 1)) == pytest.approx([2 / 6, 2 / 6], rel=0.35)
    assert noisy.inputs_khz.mean((0, 1)) == pytest.approx(noisy.clean_khz, abs=0.2)
    assert noisy.outputs == pytest.approx(noisy.inputs_khz * _per_khz(), abs=0.1 * _per_khz())
    assert noisy.without_recurrence == pytest.approx(noisy.outputs / 2, abs=0.1 * _per_khz())
    assert not np.allclose(*noisy.inputs_khz), "networks have patterns of their own"


def test_loops_read_each_level_in_its_second_half(recorder):
    stairs = Staircase(widest=0.8, levels=5, hold_s=0.2)
    result = simulate_loops(SMALL, TRIALS, {"soft": SOFT, "bistable": BISTABLE}, stairs)
    assert result.labels == ("soft", "soft, no E→E", "bistable", "bistable, no E→E")
    lead = result.up[:, 0, 0, 0] - result.up[:, 0, 0, 1]
    assert lead == pytest.approx(2 * stairs.differences * _per_khz(), abs=0.6 * _per_khz() / 10)
    np.testing.assert_allclose(result.down, result.up)
    assert [c.context.adaptation for c in recorder.conditions[::2]] == [1.0, BISTABLE.adaptation]


def test_dwell_cues_one_unit_and_then_none(recorder):
    result = simulate_dwell(SMALL, TRIALS, {"soft": SOFT}, cue_s=0.2, length_s=0.3)
    assert len(result.time_s) == 30
    np.testing.assert_allclose(result.courses[..., 0], result.courses[..., 1])
    first, second = (c.drive_at(50.0) for c in recorder.conditions)
    assert first == pytest.approx(second[::-1]) and first[0] > first[1]
    boundary = simulate_boundary(SMALL, TRIALS, (1.0, 0.5), (0.0, 1.0, 2.0), length_s=0.2)
    assert boundary.memory.shape == (3, 2, 2)
    contexts = [c.context for c in recorder.conditions[::2]]
    assert [(c.vip_khz, c.adaptation) for c in contexts][:3] == [(0, 1), (0, 0.5), (1, 1)]


def test_perturbation_and_regime(recorder):
    result = simulate_perturbation(SMALL, TRIALS, ratio=0.5, extra=1.0, length_s=0.1)
    during = (result.time_s > result.onset_s) & (result.time_s < result.offset_s)
    extra = result.courses[:, 1, 0, 1] - result.courses[:, 0, 0, 1]
    assert extra[during] == pytest.approx(2 * _per_khz())
    assert extra[~during] == pytest.approx(0)
    regime = simulate_regime(SMALL, TRIALS, duration_s=0.5, running=Context(vip_khz=1.5))
    courses = regime.states.courses_hz
    assert courses[:, 0, :, :2].max() == 0 and courses[:, 1:, :, 0].min() > 0
    assert [c.context.vip_khz for c in recorder.conditions] == [0, 0, 0, 1.5]
    rest, stimulus, mixed, running = (np.asarray(c.drive_khz) for c in recorder.conditions)
    assert rest.max() == 0 and stimulus.tolist() == running.tolist() and stimulus[0] == mixed[0]
    assert (mixed[1:] == mixed[0] / 2).all()
    assert set(regime.states.spikes) == {(0, 0), (1, 0), (2, 0), (3, 0)}


def test_variants_reduce_what_was_simulated(recorder):
    variants = lesion_variants(("Pvalb",))
    result = simulate_variants(SMALL, TRIALS, variants, noise=Noise(patterns=3))
    assert result.variants == ("intact", "PV 50 %", "PV 0 %")
    values = dict(zip(FUNCTIONS, result.values[0, :, 0], strict=True))
    assert values["winner gain"] == pytest.approx(2.0)
    assert values["loser fraction"] == pytest.approx(1.0)
    assert values["selectivity"] == pytest.approx(0.2 / 1.8, abs=0.01)
    assert values["slope"] == pytest.approx(_per_khz())
    assert values["normalisation"] == pytest.approx(1.0)
    assert values["disinhibition"] == pytest.approx(1.0)
    assert values["SNR gain"] == pytest.approx(1.0, abs=0.15)
    assert values["memory"] == pytest.approx(0.0)
    np.testing.assert_allclose(result.values[1], result.values[0])
    assert [c.kept for c in recorder.conditions[:: len(recorder.conditions) // 3]] == [
        {},
        {"Pvalb": 0.5},
        {"Pvalb": 0.0},
    ]
    with pytest.raises(ParameterError, match="variants is empty"):
        simulate_variants(SMALL, TRIALS, ())


def test_stronger_lamp5_synapses_keep_their_factor_without_recurrence(recorder):
    simulate_variants(SMALL, TRIALS, lamp5_variants(3.0), noise=Noise(patterns=2))
    each = len(recorder.conditions) // 4
    cut = recorder.conditions[3 * each + 1].efficacy
    assert cut["Pyr", "Lamp5"] == 9 and cut["Lamp5", "Sst"] == 3 and cut["Pyr", "Pyr"] == 0
    assert recorder.conditions[each].efficacy == {("Pyr", "Lamp5"): 9}


def test_assumptions_change_the_network_and_are_named(monkeypatch):
    seen = []

    class Result:
        def mean_rates_hz(self, start_s):
            scale = 1 + 4 * seen[-1].nmda_ratio
            return np.array([[[3.0 * scale, 1.0]] * 2, [[3.0, 2.0]] * 2, [[0.0, 2.0]] * 2])

    def run(self, network, conditions, **_):
        seen.append(network)
        return Result()

    monkeypatch.setattr(Trials, "run", run)
    found = simulate_assumption(SMALL, TRIALS, "nmda_ratio", (0.0, 0.5))
    np.testing.assert_allclose(found.winner_gain, [[1, 1], [3, 3]])
    np.testing.assert_allclose(found.loser_fraction, 0.5)
    assert len(found.tabulate()) == 4 and found.tabulate()["winner_gain"].iloc[-1] == 3
    with pytest.raises(ParameterError, match="assumption = 'alpha' is unknown"):
        simulate_assumption(SMALL, TRIALS, "alpha")
    with pytest.raises(ParameterError, match="values is empty"):
        simulate_assumption(SMALL, TRIALS, "nmda_ratio", ())
