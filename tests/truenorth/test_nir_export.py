"""The mapped motif as a NIR graph: the same spikes where NIR can say it all, else like rates."""

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest

from swta.circuit.theory import Motif
from swta.truenorth import MotifRequest, map_motif, plots
from swta.truenorth.network import Network, Population, Projection, Source
from swta.truenorth.nirfile import (
    load_nir,
    measure_rate_error,
    save_nir,
    simulate_nir,
    simulate_snntorch,
)
from swta.truenorth.nirgraph import describe_graph, simulate_graph
from swta.truenorth.placement import build_chip, place
from swta.validation import ParameterError

LINEAR = {"reset_mode": 1, "negative_threshold": 2**18 - 1, "negative_saturate": True}
FOUR_ROLES = MotifRequest(
    motif=Motif(alpha=0.5, beta1=1.5, beta2=0.5, T_E=1 / 64, T_N=2 / 64, n_units=3),
    feedforward=0.125,
    feedforward_lines=8,
)


def run_chip(network, graph, spikes):
    """Spikes of all neurons on the chip, in the graph's order, (n_ticks, n) bool."""
    placement = place(network)
    chip, _ = build_chip([placement])
    lines = {name: np.argwhere(spikes[:, where]) for name, where in graph.lines.items()}
    raster = chip.run(placement.inputs(lines), len(spikes))
    fired = np.zeros((len(spikes), max(where.stop for where in graph.neurons.values())), bool)
    for name, where in graph.neurons.items():
        rows = placement.spikes(raster, name)
        fired[rows[:, 0], where.start + rows[:, 1]] = True
    return fired


def population_rates(graph, fired):
    return [fired[:, where].mean() for where in graph.neurons.values()]


def random_input(graph, rates, n_ticks, rng):
    p = np.concatenate(
        [
            np.full(where.stop - where.start, rate)
            for where, rate in zip(graph.lines.values(), rates, strict=True)
        ]
    )
    return rng.random((n_ticks, len(p))) < p


def random_network(rng):
    """Excitation and inhibition between populations of different thresholds and leaks."""
    populations = [
        Population(
            f"p{k}", n, threshold=rng.integers(5, 40, n), leak=rng.integers(-1, 3, n), **LINEAR
        )
        for k, n in enumerate((20, 7, 12))
    ]
    projections = [
        Projection(
            pre,
            post,
            int(weight),
            delay=0 if pre == "s" else 1,
            connections=rng.random((n, m)) < 0.3,
        )
        for pre, n, post, m, weight in [
            ("s", 15, "p0", 20, 9),
            ("p0", 20, "p1", 7, 6),
            ("p1", 7, "p0", 20, -5),
            ("p1", 7, "p2", 12, 11),
            ("p2", 12, "p2", 12, 1),
        ]
    ]
    return Network(populations, projections, [Source("s", 15)])


@pytest.mark.parametrize("seed", range(5))
def test_spike_for_spike_where_the_negative_range_is_wide(seed):
    rng = np.random.default_rng(seed)
    network = random_network(rng)
    graph = describe_graph(network)
    spikes = random_input(graph, [0.3], 400, rng)
    fired = simulate_graph(graph, spikes)
    np.testing.assert_array_equal(fired, run_chip(network, graph, spikes))
    assert 0.01 < fired.mean() < 0.9


@pytest.mark.parametrize("request_", [MotifRequest(), FOUR_ROLES], ids=["motif", "four roles"])
def test_rates_of_the_motif(request_, rng):
    """Its negative range ends at ten thresholds; NIR has no such end."""
    mapped = map_motif(request_)
    graph = describe_graph(mapped.network)
    spikes = random_input(graph, [0.35, 0.3, 0.25], 2000, rng)
    chip = population_rates(graph, run_chip(mapped.network, graph, spikes))
    interpreted = population_rates(graph, simulate_graph(graph, spikes))
    assert measure_rate_error(interpreted, chip) < 0.05
    assert min(chip) > 0.001


def test_the_shallow_negative_range_does_not_carry_over(rng):
    mapped = map_motif(replace(MotifRequest(), negative_threshold=0))
    graph = describe_graph(mapped.network)
    spikes = random_input(graph, [0.3, 0.2, 0.1], 1000, rng)
    chip = population_rates(graph, run_chip(mapped.network, graph, spikes))
    assert measure_rate_error(population_rates(graph, simulate_graph(graph, spikes)), chip) > 0.1


def test_graph_of_two_neurons():
    network = Network(
        [
            Population("a", 1, threshold=3, leak=1, **LINEAR),
            Population("b", 1, threshold=5, **LINEAR),
        ],
        [
            Projection("s", "a", 2, delay=0),
            Projection("a", "b", 4),
            Projection("b", "a", -1),
            Projection("a", "b", 1),
        ],
        [Source("s", 1)],
    )
    graph = describe_graph(network)
    assert {name: node["type"] for name, node in graph.nodes.items()} == {
        "input": "Input",
        "w_in": "Affine",
        "membrane": "I",
        "fire": "Threshold",
        "reset": "Linear",
        "w_rec": "Linear",
        "output": "Output",
    }
    assert graph.nodes["w_in"]["weight"].tolist() == [[2], [0]]
    assert graph.nodes["w_in"]["bias"].tolist() == [1, 0]
    assert graph.nodes["w_rec"]["weight"].tolist() == [[0, -1], [5, 0]]
    assert graph.nodes["reset"]["weight"].tolist() == [[-3, 0], [0, -5]]
    assert graph.nodes["fire"]["threshold"].tolist() == [2.5, 4.5]
    leaky = describe_graph(network, neurons="LIF")
    np.testing.assert_allclose(leaky.nodes["w_rec"]["weight"], [[0, -1 / 3], [1, 0]])
    np.testing.assert_allclose(leaky.nodes["w_in"]["bias"], [1 / 3, 0])
    assert set(leaky.nodes["neurons"]["v_threshold"]) == {1 - 0.1 / 5}


def plain(**changes):
    population = Population("a", 2, **({"threshold": 2} | LINEAR | changes.pop("population", {})))
    return Network(
        [population],
        [Projection("s", "a", 1, **({"delay": 0} | changes)), Projection("a", "a", 1)],
        [Source("s", 2)],
    )


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: plain(population={"reset_mode": 0}),
            "population 'a': its reset_mode has no place",
        ),
        (lambda: plain(population={"leak_reversal": True}), "its leak_reversal has no place"),
        (lambda: plain(population={"potential": 1}), "its potential .* allowed: a start from 0"),
        (lambda: plain(population={"threshold": 0}), "its threshold has no place"),
        (lambda: plain(delay=2), "projection 's' -> 'a': delay = 2 .* allowed: 0"),
        (lambda: Network([Population("a", 1, **LINEAR)], []), "the network has no source"),
    ],
)
def test_what_has_no_place(build, message):
    with pytest.raises(ParameterError, match=message):
        describe_graph(build())


def test_bad_calls():
    graph = describe_graph(plain())
    with pytest.raises(ParameterError, match=r"spikes of shape \(5, 3\); allowed: \(n_ticks, 2\)"):
        simulate_graph(graph, np.zeros((5, 3)))
    with pytest.raises(ParameterError, match="node 'neurons' of type 'LIF'"):
        simulate_graph(describe_graph(plain(), neurons="LIF"), np.zeros((5, 2)))
    with pytest.raises(ParameterError, match="neurons = 'IF' is unknown; allowed: integrator, LIF"):
        describe_graph(plain(), neurons="IF")
    with pytest.raises(ParameterError, match="every reference rate is 0"):
        measure_rate_error([1.0], [0.0])
    assert measure_rate_error([1.0, 3.0], [2.0, 4.0]) == 0.25


def test_missing_package_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(__import__("sys").modules, "nir", None)
    with pytest.raises(ParameterError, match=r"nir is not installed.*pip install 'swta\[peers\]'"):
        save_nir(tmp_path / "x.nir", describe_graph(plain()))


@pytest.mark.parametrize("neurons", ["integrator", "LIF"])
def test_file_gives_back_every_number(neurons, tmp_path, rng):
    pytest.importorskip("nir")
    graph = describe_graph(random_network(rng), neurons=neurons)
    save_nir(tmp_path / "x.nir", graph)
    read = load_nir(tmp_path / "x.nir")
    assert set(read) == set(graph.nodes)
    for name, node in graph.nodes.items():
        assert read[name]["type"] == node["type"]
        for key, value in node.items():
            if key not in ("type", "shape"):
                np.testing.assert_array_equal(read[name][key], value)


@pytest.mark.parametrize("request_", [MotifRequest(), FOUR_ROLES], ids=["motif", "four roles"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_rates_in_snntorch(request_, tmp_path, rng):
    pytest.importorskip("nir")
    pytest.importorskip("snntorch")
    mapped = map_motif(request_)
    graph = describe_graph(mapped.network, neurons="LIF")
    save_nir(tmp_path / "x.nir", graph)
    spikes = random_input(graph, [0.35, 0.3, 0.25], 2000, rng)
    chip = population_rates(graph, run_chip(mapped.network, graph, spikes))
    there = population_rates(graph, simulate_snntorch(tmp_path / "x.nir", spikes))
    assert measure_rate_error(there, chip) < 0.05
    assert min(chip) > 0.001


def test_all_readers_at_once():
    result = simulate_nir(map_motif(MotifRequest()), [0.3, 0.25, 0.2], n_ticks=1500, seed=0)
    assert result.populations == ("unit_0", "unit_1", "unit_2", "pool")
    assert result.readers[0] == "NumPy"
    assert result.rates.shape == (len(result.readers), 4)
    assert (result.errors < 0.05).all()
    assert (result.errors > 0).all()
    assert result.errors[0] == measure_rate_error(result.rates[0], result.chip)
    again = simulate_nir(map_motif(MotifRequest()), [0.3, 0.25, 0.2], n_ticks=1500, seed=0)
    np.testing.assert_array_equal(again.chip, result.chip)


def test_figure():
    result = simulate_nir(map_motif(MotifRequest()), [0.3, 0.2, 0.1], n_ticks=100, seed=0)
    figure, ax = plt.subplots()
    plots.plot_readers(result, ax)
    heights = [bar.get_height() for bar in ax.patches]
    assert heights == pytest.approx([*result.chip, *result.rates.ravel()])
    plt.close(figure)
