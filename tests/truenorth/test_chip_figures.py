"""Figures draw what they are given."""

import matplotlib.pyplot as plt
import pytest

from swta.truenorth import (
    MotifRequest,
    lesion_effects,
    plots,
    simulate_behaviour,
    simulate_lesions,
    simulate_softness,
    simulate_threshold_linear,
    simulate_transfer,
)

INPUTS = [(0.3, 0.2, 0.1), (0.3, 0.3, 0.1)]


@pytest.fixture
def ax():
    figure, axes = plt.subplots()
    yield axes
    plt.close(figure)


def test_trace(ax):
    result = simulate_behaviour("tonic bursting", inputs=[(t, 0) for t in range(60)]).trace
    plots.plot_trace(result, ax)
    potential, spikes = ax.get_lines()[:2]
    assert potential.get_ydata().tolist() == result.potentials[:, 0].tolist()
    assert len(spikes.get_xdata()) == result.spikes[:, 0].sum() > 0


def test_units(ax):
    result = simulate_threshold_linear(
        [0.1, 0.3, 0.2, 0.1], threshold=[4, 4, 8, 8], n_ticks=50, seed=0
    )
    plots.plot_threshold_linear(result, ax)
    assert len(ax.get_lines()) == 4
    assert sorted(ax.get_lines()[1].get_ydata()) == sorted(result.measured[:2])


def test_lost_inhibition(ax):
    result = simulate_threshold_linear(
        [0.1, 0.3] * 2, negative_threshold=[0, 0, 9, 9], n_ticks=50, seed=0
    )
    plots.plot_lost_inhibition(result, ax)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        r"$\beta$ = 0",
        r"$\beta$ = 9",
    ]


def test_transfer_is_coloured_by_rank(ax):
    result = simulate_transfer(MotifRequest(), n_inputs=5, low=0, high=0.4, n_ticks=50, seed=0)
    plots.plot_transfer(result, ax)
    strongest = ax.get_lines()[0]
    assert sorted(strongest.get_xdata()) == sorted(result.predicted.max(1))


def test_softness(ax):
    result = simulate_softness(MotifRequest(), [0, 64, 640], INPUTS, n_seeds=2, n_ticks=50, seed=0)
    plots.plot_softness(result, 64, ax)
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["0", "1", "10"]
    assert len(ax.get_legend().get_texts()) == 2


def test_lesion(ax):
    request = MotifRequest(feedforward=0.125, feedforward_lines=8)
    result = simulate_lesions(request, INPUTS, n_ticks=50, seed=0)
    plots.plot_lesion(result, "Sst", ax)
    chip, model = lesion_effects(result)
    assert ax.get_title(loc="left") == "without SST"
    assert ax.get_lines()[0].get_xdata().tolist() == model[1, :, 0].tolist()
    assert ax.get_lines()[2].get_ydata().tolist() == chip[1, :, 2].tolist()
