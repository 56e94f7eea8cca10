"""The membranes of the synapses in words and as a figure: what they say is what the table holds."""

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest

from swta.cells.synapses import compare_potentials, score_synapses
from swta.cells.synapses.membrane_report import (
    describe_central_amplitudes,
    describe_central_membranes,
    describe_membranes,
    plot_membranes,
)


@pytest.fixture
def comparison(synapses, class_models):
    return compare_potentials(synapses, class_models)


def test_only_pairs_at_a_quartile_are_listed(comparison):
    text = describe_membranes(comparison)
    assert "Pyr→Pyr 15.4 ms (central cell 19.3 ms)" in text
    assert "Pyr→VIP 15.6 ms (central cell 12.7 ms, held at the end of the bin, -60 mV)" in text
    assert "PV→Pyr" not in text
    inside = comparison.assign(membrane_ms=comparison["central_ms"])
    assert describe_membranes(inside) == "none"


def test_central_membranes_are_described_with_what_they_miss(synapses, class_models):
    scores = score_synapses(synapses, class_models)
    assert describe_central_membranes(scores) == (
        f"20 of 20 pairs within 15 %, largest error {scores.kinetics_error_max:.2f}"
    )
    missed = replace(scores, kinetics_matched=19, kinetics_missed=("A → B: rise +20%",))
    text = describe_central_membranes(missed)
    assert text.startswith("19 of 20") and text.endswith("missed are A → B: rise +20%")


def test_largest_deviations_come_first(comparison):
    made = comparison.assign(central_deviation=0.01)
    made.loc[4, "central_deviation"] = -0.3
    made.loc[7, "central_deviation"] = 0.2
    text = describe_central_amplitudes(made)
    assert text.startswith("PV→Pyr -30%, PV→VIP +20%, ")


def test_figure_shows_every_membrane_between_its_quartiles(comparison):
    fig = plot_membranes(comparison)
    left, right = fig.axes
    points = np.array([line.get_xydata()[0] for line in left.lines])
    np.testing.assert_allclose(points[:, 0], comparison["membrane_ms"])
    assert left.get_yticklabels()[0].get_text() == "Pyr→Pyr"
    bars = [c.get_segments()[0][:, 0] for c in left.collections[::2]]
    np.testing.assert_allclose(bars, comparison[["membrane_low_ms", "membrane_high_ms"]])
    drawn = [line.get_xdata()[0] for line in right.lines if len(line.get_xdata()) == 1]
    np.testing.assert_allclose(drawn, 100 * comparison["central_deviation"])
    plt.close("all")
