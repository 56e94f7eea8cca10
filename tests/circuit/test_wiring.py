from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import quad

from swta.cells.classes import CLASSES
from swta.circuit.network import Afferents, Network, mean_falloff
from swta.circuit.pathways import (
    RECEPTOR_OF,
    Adjustment,
    Pathway,
    adjust,
    kernel_area,
    load_pathways,
    tabulate_adjustments,
)
from swta.circuit.wiring import build_wiring
from swta.validation import ParameterError


@pytest.fixture(scope="module")
def wiring():
    return build_wiring(Network(), seed=3)


def test_sizes_follow_the_shares():
    sizes = Network(n_cells=1000, n_units=5).sizes
    assert sizes == {"Pyr": 800, "Pvalb": 80, "Sst": 50, "Vip": 30, "Lamp5": 40}


def test_radius_holds_the_pyramidal_cells():
    network = Network()
    area_mm2 = np.pi * (network.radius_um / 1e3) ** 2
    assert area_mm2 * network.pyr_per_mm2 == pytest.approx(network.sizes["Pyr"])


@pytest.mark.parametrize("ratio", [0.3, 1.0, 2.5])
def test_mean_falloff_against_random_points(ratio):
    rng = np.random.default_rng(0)
    radius = np.sqrt(rng.random((2, 400_000)))
    angle = 2 * np.pi * rng.random((2, 400_000))
    points = ratio * radius * np.exp(1j * angle)
    drawn = np.exp(-0.5 * np.abs(points[0] - points[1]) ** 2)
    error = drawn.std() / np.sqrt(drawn.size)
    assert mean_falloff(100 * ratio, 100.0) == pytest.approx(drawn.mean(), abs=5 * error)


@pytest.mark.parametrize(("rise", "decay"), [(0.3, 1.0), (3.0, 30.0)])
def test_one_decay_keeps_area_and_mean_time(rise, decay):
    def kernel(t):
        return np.exp(-t / decay) - np.exp(-t / rise)

    top = max(kernel(np.linspace(0, 10 * decay, 200_001)))
    area = quad(kernel, 0, 40 * decay)[0] / top
    first = quad(lambda t: t * kernel(t), 0, 40 * decay)[0] / top / area
    assert kernel_area(rise, decay) == pytest.approx(area, rel=1e-6)
    assert rise + decay == pytest.approx(first, rel=1e-6)


def test_preference_moves_connections_and_adds_none():
    slice_value = load_pathways()["Pyr", "Pyr"]
    for n_units in (2, 3, 4, 8, 16):
        network = Network(n_units=n_units)
        table = network.excitatory_probabilities(slice_value)
        assert table.mean() == pytest.approx(network.probability(slice_value))
        np.testing.assert_allclose(table, table.T)
        np.testing.assert_allclose(table[0], np.roll(table[1], -1))
        assert (np.argmax(table, axis=1) == np.arange(n_units)).all()


def test_connection_probabilities(wiring):
    network = wiring.network
    sizes = network.sizes
    for (pre, post), one in network.pathways().items():
        chosen = (wiring.cell_class[wiring.pre] == CLASSES.index(pre)) & (
            wiring.cell_class[wiring.post] == CLASSES.index(post)
        )
        pairs = sizes[pre] * (sizes[post] - (pre == post))
        chance = network.probability(one)
        spread = np.sqrt(pairs * chance * (1 - chance))
        assert abs(chosen.sum() - pairs * chance) < 4.5 * spread + pairs * chance / 200, (pre, post)
        assert np.unique(wiring.delay_ms[chosen]) == pytest.approx(one.delay_ms)
        assert set(wiring.receptor[chosen]) == {RECEPTOR_OF[pre]}


def test_no_cell_connects_to_itself_and_no_pair_twice(wiring):
    assert (wiring.pre != wiring.post).all()
    pairs = wiring.pre.astype(np.int64) * wiring.n_cells + wiring.post
    assert len(np.unique(pairs)) == len(pairs)
    assert (np.diff(wiring.pre) >= 0).all()
    assert (wiring.weight_nS > 0).all()


def test_no_unit_is_favoured(wiring):
    n = wiring.network.n_units
    cells = wiring.parameters[wiring.cell_class == 0].reshape(n, -1, 11)
    for other in cells[1:]:
        np.testing.assert_array_equal(cells[0], other)
    total = np.zeros((len(wiring.populations),) * 2)
    np.add.at(
        total,
        (wiring.population[wiring.post], wiring.population[wiring.pre]),
        wiring.weight_nS,
    )
    for k in range(1, n):
        np.testing.assert_allclose(np.roll(total[k, :n], -k), total[0, :n], rtol=1e-9)
        np.testing.assert_allclose(total[k, n:], total[0, n:], rtol=1e-9)
        np.testing.assert_allclose(total[n:, k], total[n:, 0], rtol=1e-9)


def test_cells_within_a_class_differ(wiring):
    for k, name in enumerate(CLASSES):
        cells = wiring.parameters[wiring.cell_class == k]
        distinct = len(np.unique(cells[:, 0]))
        assert distinct == (len(cells) // wiring.network.n_units if name == "Pyr" else len(cells))


def test_conductances_have_the_spread_of_the_slice(wiring):
    one = wiring.network.pathways()["Pvalb", "Pyr"]
    chosen = (wiring.cell_class[wiring.pre] == 1) & (wiring.cell_class[wiring.post] == 0)
    logs = np.log(wiring.weight_nS[chosen])
    assert logs.std() == pytest.approx(one.log_sd, rel=0.05)


def test_a_wiring_is_its_seed():
    small = Network(n_cells=200)
    first, again, other = (build_wiring(small, seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(first.weight_nS, again.weight_nS)
    np.testing.assert_array_equal(first.parameters, again.parameters)
    assert not np.array_equal(first.parameters, other.parameters)


def test_adjustment_scales_one_pathway():
    slice_values = load_pathways()
    adjusted = adjust(slice_values, (Adjustment("Pyr", "Vip", 0.4, "why"),))
    assert adjusted["Pyr", "Vip"].g_nS == pytest.approx(0.4 * slice_values["Pyr", "Vip"].g_nS)
    assert adjusted["Pyr", "Sst"] == slice_values["Pyr", "Sst"]
    table = tabulate_adjustments(Network().adjustments)
    assert len(table) == len(Network().adjustments) and table["reason"].str.len().min() > 10


def test_an_arrival_has_the_area_of_the_measured_input():
    network = Network(adjustments=())
    for name in CLASSES:
        one = load_pathways()["Input", name]
        wanted = network.afferents(name).synchrony * one.g_nS * one.decay_ms
        decay = network.pathways()["Pyr", name].decay_ms
        assert network.arrival_nS(name) * decay == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_units": 17}, "n_units = 17"),
        ({"n_units": 1}, "n_units = 1"),
        ({"n_units": 16, "n_cells": 60}, "four cells per unit"),
        ({"n_cells": 10}, "n_cells = 10"),
        ({"pv_share": 0.5}, "add up to 1.1"),
        ({"pv_share": 0.6, "lamp5_share": 0.0}, "no Lamp5 cell"),
        ({"nmda_ratio": -0.1}, "nmda_ratio = -0.1"),
        ({"magnesium_mM": float("nan")}, "magnesium_mM = nan"),
        ({"E_inh": 20.0}, "E_inh = 20"),
    ],
)
def test_impossible_networks(change, message):
    with pytest.raises(ParameterError, match=message):
        Network(**change)


def test_impossible_pathways():
    good = load_pathways()["Pyr", "Pyr"]
    with pytest.raises(ParameterError, match="g_nS of Pyr to Pyr = -1"):
        replace(good, g_nS=-1.0)
    with pytest.raises(ParameterError, match="probability of Pyr to Pyr"):
        replace(good, probability=1.2)
    with pytest.raises(ParameterError, match="did you mean 'Pvalb'"):
        replace(good, post="Pvalp")
    with pytest.raises(ParameterError, match="factor of Pyr to Vip = -2"):
        Adjustment("Pyr", "Vip", -2.0, "why")
    with pytest.raises(ParameterError, match="background_khz"):
        Afferents(-1.0)
    twice = (Adjustment("Pyr", "Vip", 0.4, "a"), Adjustment("Pyr", "Vip", 0.5, "b"))
    with pytest.raises(ParameterError, match="Pyr to Vip is adjusted twice"):
        adjust(load_pathways(), twice)
    missing = {("Pyr", "Pyr"): good}
    with pytest.raises(ParameterError, match="Sst to Pyr has no synapses"):
        adjust(missing, (Adjustment("Sst", "Pyr", 1.0, "why"),))
    assert isinstance(good, Pathway)
