from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from spiking_oracle import simulate

from swta.cells.adex import PARAMETER_NAMES
from swta.cells.classes import CLASSES
from swta.circuit.conditions import Condition, Context
from swta.circuit.network import Afferents, Network
from swta.circuit.rate import DivergenceError
from swta.circuit.spiking import interval_cv, simulate_spiking
from swta.circuit.wiring import build_wiring
from swta.validation import ParameterError

QUIET = {name: Afferents(0.0) for name in ("pyr", "pv", "sst", "vip", "lamp5")}


def _tonic(n_cells=60, excess=8.0):
    """A small network without noise whose cells fire because they rest above threshold."""
    network = Network(n_cells=n_cells, n_units=2, pyr_per_mm2=1e6, **QUIET)
    wiring = build_wiring(network, seed=5)
    parameters = wiring.parameters.copy()
    rest, onset = (PARAMETER_NAMES.index(p) for p in ("E_L", "V_T"))
    parameters[:, rest] = parameters[:, onset] + excess
    return replace(wiring, parameters=parameters)


def _spikes(wiring, condition, **options):
    result = simulate_spiking(
        [wiring],
        [condition],
        seed=0,
        record=[(0, 0)],
        compiled=False,
        **({"duration_s": 0.15} | options),
    )
    return result, result.spikes[0, 0]


@pytest.mark.parametrize(
    "condition",
    [
        Condition([0.0, 0.0]),
        Condition([0.0, 0.0], Context(adaptation=0.2)),
        Condition([0.0, 0.0], efficacy={("Pvalb", "Pyr"): 0.3}, kept={"Sst": 0.5}),
    ],
)
def test_same_spikes_as_an_independent_integration(condition):
    wiring = _tonic()
    _, (times, cells) = _spikes(wiring, condition)
    expected = simulate(wiring, condition, steps=1500, dt=0.1)
    found = sorted(zip(np.rint(times * 1e4).astype(int).tolist(), cells.tolist(), strict=True))
    assert len(found) > 150
    assert {wiring.cell_class[c] for _, c in found} == set(range(len(CLASSES)))
    assert found == sorted(expected)


@pytest.mark.slow
def test_compiled_code_gives_the_same_spikes():
    """Compiling from an empty cache takes about a minute."""
    from brian2.codegen.runtime.cython_rt import CythonCodeObject

    if not CythonCodeObject.is_available():
        pytest.skip("no C++ compiler")
    wiring, condition = _tonic(), Condition([0.0, 0.0])
    for compiled in (True, False):
        result = simulate_spiking(
            [wiring], [condition], duration_s=0.1, seed=0, record=[(0, 0)], compiled=compiled
        )
        times, cells = result.spikes[0, 0]
        found = sorted(zip(np.rint(times * 1e4).astype(int).tolist(), cells.tolist(), strict=True))
        assert found == sorted(simulate(wiring, condition, steps=1000, dt=0.1))


def test_a_network_without_input_is_silent():
    wiring = build_wiring(Network(n_cells=60, n_units=2, **QUIET), seed=0)
    result, _ = _spikes(wiring, Condition([0.0, 0.0]), duration_s=0.1)
    assert result.counts.sum() == 0


def test_copies_do_not_touch_each_other():
    wiring = _tonic()
    weak = Condition([0.0, 0.0], efficacy={(a, b): 0.0 for a in CLASSES for b in CLASSES})
    full = Condition([0.0, 0.0])
    both = simulate_spiking([wiring], [full, weak], duration_s=0.05, seed=0, compiled=False)
    for k, condition in enumerate((full, weak)):
        alone = simulate_spiking([wiring], [condition], duration_s=0.05, seed=9, compiled=False)
        np.testing.assert_array_equal(both.counts[:, k], alone.counts[:, 0])


def test_splitting_into_runs_changes_nothing_without_noise():
    wirings = [_tonic(), _tonic(excess=6.0)]
    conditions = [Condition([0.0, 0.0]), Condition([0.0, 0.0], Context(adaptation=0.5))]
    whole, cut = (
        simulate_spiking(
            wirings, conditions, duration_s=0.04, seed=0, compiled=False, cells_per_run=n
        )
        for n in (1000, 1)
    )
    np.testing.assert_array_equal(whole.counts, cut.counts)


def test_poisson_input_drives_as_its_mean_conductance():
    """A passive membrane settles where leak and mean input conductance balance."""
    network = Network(n_cells=60, n_units=2, **(QUIET | {"pyr": Afferents(3.0, own_gain=1.0)}))
    wiring = build_wiring(network, seed=0)
    decay = network.pathways()["Pyr", "Pyr"].decay_ms
    mean_nS = (3.0 + 1.5) * network.arrival_nS("Pyr") / network.afferents("Pyr").synchrony * decay
    index = {name: k for k, name in enumerate(PARAMETER_NAMES)}
    cells = wiring.parameters.copy()
    # A threshold that the mean potential just fails, or just manages, to reach on the two sides.
    g_L, E_L = cells[:, index["g_L"]], cells[:, index["E_L"]]
    rest = (g_L * E_L + mean_nS * network.E_exc) / (g_L + mean_nS)
    rates = []
    for shift in (6.0, -6.0):
        moved = cells.copy()
        pyramidal = wiring.cell_class == 0
        moved[pyramidal, index["V_T"]] = (rest + shift)[pyramidal]
        moved[pyramidal, index["V_reset"]] = (rest - 10.0)[pyramidal]
        moved[pyramidal, index["Delta_T"]] = 0.5
        moved[pyramidal, index["b"]] = 0.0
        one = replace(wiring, parameters=moved)
        result, _ = _spikes(one, Condition([1.5, 1.5]), duration_s=0.4)
        rates.append(result.mean_rates_hz(0.1)[0, 0, :2].mean())
    assert rates[0] < 4 < 20 < rates[1]


def test_drive_reaches_its_unit_and_follows_its_course():
    network = Network(n_cells=100, n_units=2, **(QUIET | {"pyr": Afferents(0.0, own_gain=8.0)}))
    wiring = build_wiring(network, seed=0)
    course = np.zeros((30, 2))
    course[10:20, 1] = 2.0
    result, _ = _spikes(wiring, Condition(course), duration_s=0.3)
    first, second, third = (result.mean_rates_hz(s, s + 0.1)[0, 0] for s in (0.0, 0.1, 0.2))
    assert second[1] > 5 and second[0] == 0
    assert first[1] == 0 and third[1] < second[1] / 3


def test_noise_is_its_seed():
    wiring = build_wiring(Network(n_cells=100, n_units=2), seed=0)
    runs = [
        simulate_spiking([wiring], [Condition([2.0, 2.0])], duration_s=0.1, seed=s, compiled=False)
        for s in (1, 1, 2)
    ]
    np.testing.assert_array_equal(runs[0].counts, runs[1].counts)
    assert not np.array_equal(runs[0].counts, runs[2].counts)


def test_the_callers_random_numbers_are_untouched():
    wiring = build_wiring(Network(n_cells=60, n_units=2), seed=0)
    np.random.seed(4)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    _spikes(wiring, Condition([1.0, 1.0]), duration_s=0.02)
    np.testing.assert_array_equal(before, np.random.get_state()[1])  # noqa: NPY002


def test_a_runaway_network_stops_with_population_and_time():
    wiring = build_wiring(Network(n_cells=100, n_units=2, nmda_ratio=20.0), seed=1)
    with pytest.raises(DivergenceError, match=r"fires at \d+ Hz at \d+ ms, in the network of seed"):
        _spikes(wiring, Condition([60.0, 60.0]), duration_s=1.0)


def test_a_runaway_copy_leaves_the_others_alone():
    wiring = build_wiring(Network(n_cells=100, n_units=2), seed=1)
    calm = Condition([0.0, 0.0], efficacy={(a, b): 0.0 for a in CLASSES for b in CLASSES})
    wild = replace(calm, extra_khz={"Pvalb": 500.0})
    result = simulate_spiking(
        [wiring], [wild, calm], duration_s=0.12, seed=0, compiled=False, stop=False
    )
    assert list(result.diverged) == [(0, 0)]
    assert result.diverged[0, 0].startswith("Pvalb fires at")
    assert np.isnan(result.mean_rates_hz(0.0)[0]).all()
    assert np.isfinite(result.mean_rates_hz(0.0)[1]).all()
    assert np.isfinite(result.select(1).courses_hz).all()


def test_a_potential_that_is_not_finite_stops_the_run():
    wiring = _tonic()
    cells = wiring.parameters.copy()
    cells[-1, PARAMETER_NAMES.index("E_L")] = np.nan
    with pytest.raises(DivergenceError, match="Lamp5 has no finite potential at 0 ms"):
        _spikes(replace(wiring, parameters=cells), Condition([0.0, 0.0]))


def test_interval_cv():
    regular = np.arange(0.0, 1.0, 0.1)
    rng = np.random.default_rng(0)
    poisson = np.cumsum(rng.exponential(0.01, 4000))
    times = np.concatenate([regular, poisson, [0.1, 0.2]])
    cells = np.repeat([0, 1, 2], [len(regular), len(poisson), 2])
    found = interval_cv(times, cells, 4, 0.0)
    assert found[0] == pytest.approx(0.0, abs=1e-9)
    assert found[1] == pytest.approx(1.0, abs=0.05)
    assert np.isnan(found[2:]).all()


def test_lesion_takes_the_same_share_of_every_population():
    wiring = build_wiring(Network(n_cells=200), seed=0)
    factors = Condition(np.zeros(4), kept={"Sst": 0.5, "Pyr": 0.25}).release_factors(wiring)
    for k, population in enumerate(wiring.populations):
        members = factors[wiring.population == k].any(1)
        share = 0.25 if population.startswith("Pyr") else {"Sst": 0.5}.get(population, 1.0)
        assert members.sum() == round(share * len(members))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Condition([-1.0, 0.0]), "drive_khz"),
        (lambda: Condition([np.nan, 0.0]), "finite rates"),
        (lambda: Condition([0.0], extra_khz={"PV": 1.0}), "extra_khz = 'PV' is unknown"),
        (lambda: Condition([0.0], kept={"Sst": 1.5}), "kept of Sst = 1.5"),
        (lambda: Condition([0.0], efficacy={("Pyr", "Pyr"): -1.0}), "efficacy of Pyr to Pyr = -1"),
        (lambda: Context(adaptation=-0.1), "adaptation = -0.1"),
    ],
)
def test_impossible_conditions(make, message):
    with pytest.raises(ParameterError, match=message):
        make()


def test_impossible_runs():
    network = Network(n_cells=100, n_units=2)
    wiring = build_wiring(network, seed=0)
    fine = Condition([0.0, 0.0])
    with pytest.raises(ParameterError, match="3 units does not fit a network of 2"):
        simulate_spiking([wiring], [Condition([0.0, 0.0, 0.0])], duration_s=0.1, seed=0)
    with pytest.raises(ParameterError, match="at least one of each"):
        simulate_spiking([], [fine], duration_s=0.1, seed=0)
    with pytest.raises(ParameterError, match="duration_s = -1"):
        simulate_spiking([wiring], [fine], duration_s=-1.0, seed=0)
    with pytest.raises(ParameterError, match="record = \\(1, 0\\) does not exist"):
        simulate_spiking([wiring], [fine], duration_s=0.1, seed=0, record=[(1, 0)])
    other = build_wiring(Network(n_cells=120, n_units=2), seed=0)
    with pytest.raises(ParameterError, match="different networks"):
        simulate_spiking([wiring, other], [fine], duration_s=0.1, seed=0)
