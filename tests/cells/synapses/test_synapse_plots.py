"""Figures of the synapses: what they draw is what the tables hold."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from swta.cells.synapses import compare_plasticity, compare_potentials, simulate_potentials
from swta.cells.synapses.matrices import (
    MARKS,
    MATRIX_QUANTITIES,
    plot_synapse_matrices,
    plot_synapse_matrix,
)
from swta.cells.synapses.plots import (
    plot_fitted,
    plot_fitted_potentials,
    plot_induction,
    plot_potential,
    plot_potentials,
    plot_train,
    plot_trains,
)
from swta.validation import ParameterError


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def potentials(synapses, class_models):
    return simulate_potentials(synapses, class_models, duration_ms=40.0)


@pytest.mark.parametrize("quantity", MATRIX_QUANTITIES)
def test_matrix_prints_every_value_and_the_mark_of_its_status(synapses, quantity):
    ax = plot_synapse_matrix(synapses, quantity)
    texts = {
        (round(t.get_position()[0], 2), round(t.get_position()[1], 2)): t.get_text()
        for t in ax.texts
    }
    names = (
        [t.get_text() for t in ax.get_xticklabels()],
        [t.get_text() for t in ax.get_yticklabels()],
    )
    assert names == (
        ["Pyr", "PV", "SST", "VIP", "LAMP5"],
        ["Pyr", "PV", "SST", "VIP", "LAMP5", "Input"],
    )
    for k, one in enumerate(synapses.values()):
        x, y = k % 5, k // 5
        entry = getattr(one, quantity)
        shown = float(texts[x, y])
        assert shown == pytest.approx(entry.value, abs=0.51 if abs(entry.value) >= 5 else 0.051)
        assert texts[round(x + 0.44, 2), round(y - 0.44, 2)] == MARKS[entry.status][0]
    hatched = sum(bool(p.get_hatch()) for p in ax.patches)
    assert hatched == sum(
        getattr(one, quantity).status in ("proxy", "assumed") for one in synapses.values()
    )


def test_matrices_letter_their_panels_and_explain_the_marks(synapses):
    fig = plot_synapse_matrices(synapses, ("probability", "g_nS", "U", "delay_ms"))
    drawn = [ax for ax in fig.axes if ax.axison]
    assert [ax.get_title(loc="left").split("$")[1] for ax in drawn] == [
        rf"\mathbf{{{letter}}}" for letter in "abcd"
    ]
    legend = [t.get_text() for t in fig.legends[0].get_texts()]
    assert legend == ["measured", "p: pooled with related pairs", "x: proxy", "a: assumed"]


def test_fitted_against_measured_names_the_pairs_outside(synapses, class_models):
    table = compare_potentials(synapses, class_models)
    ax = plot_fitted(table, "decay_ms")
    points = np.array([line.get_xydata()[0] for line in ax.lines if len(line.get_xdata()) == 1])
    drawn = points[points[:, 0].argsort()]
    expected = table[["decay_ms_measured", "decay_ms_fitted"]].sort_values("decay_ms_measured")
    np.testing.assert_allclose(drawn, expected)
    outside = (table["decay_ms_error"].abs() > 0.15).sum()
    assert len(ax.texts) == outside
    fig = plot_fitted_potentials(table)
    assert [ax.get_xlabel() for ax in fig.axes] == [
        "Measured amplitude (mV)",
        "Measured rise (ms)",
        "Measured decay (ms)",
    ]


def test_potential_is_drawn_over_the_measured_shape(synapses, potentials):
    ax = plot_potential(synapses, potentials, ("Pvalb", "Pyr"))
    measured, fitted = (line.get_ydata() for line in ax.lines[:2])
    one = synapses["Pvalb", "Pyr"]
    assert measured.min() == pytest.approx(one.psp_mV.value, rel=1e-3)
    np.testing.assert_array_equal(fitted, potentials.v_mV[potentials.pairs.index(one.pair)])
    slow = plot_potential(synapses, potentials, ("Lamp5", "Pyr"))
    assert len([line for line in slow.lines if len(line.get_xdata()) > 2]) == 1
    fig = plot_potentials(synapses, potentials, [("Pyr", "Pyr"), ("Pyr", "Sst")])
    assert sum(ax.axison for ax in fig.axes) == 2


def test_train_starts_at_the_resting_potential(synapses):
    one = synapses["Pyr", "Sst"]
    ax = plot_train(one)
    points = ax.lines[0].get_xydata()
    assert len(points) == 12
    assert points[0, 1] == pytest.approx(abs(one.psp_mV.value))
    assert f"n = {one.stp_induction.n}" in ax.get_title()
    fig = plot_trains(synapses, [("Pyr", "Sst"), ("Lamp5", "Pyr"), ("Sst", "Lamp5")])
    assert sum(ax.axison for ax in fig.axes) == 3


def test_induction_shows_every_recorded_pair(synapses):
    table = compare_plasticity(synapses)
    ax = plot_induction(table)
    points = [line.get_xdata()[0] for line in ax.lines if len(line.get_xdata()) == 1]
    np.testing.assert_allclose(points, table["induction_fitted"])
    assert ax.get_yticklabels()[0].get_text() == "Pyr→Pyr (13)"


def test_unknown_quantities_and_pairs_are_refused(synapses, potentials, class_models):
    with pytest.raises(ParameterError, match="quantity = 'weight'"):
        plot_synapse_matrix(synapses, "weight")
    with pytest.raises(ParameterError, match="feature = 'width'"):
        plot_fitted(compare_potentials(synapses, class_models), "width")
    with pytest.raises(ParameterError, match="pair = "):
        plot_potential(synapses, potentials, ("Pyr", "Sncg"))
