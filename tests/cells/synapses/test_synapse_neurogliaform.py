"""Varying the LAMP5 synapses: only what is named changes, over the range that is documented."""

import numpy as np
import pytest

from swta.cells.synapses import LAMP5_VALUES, load_synapses, vary_lamp5
from swta.cells.synapses.neurogliaform import GABA_B_RATIO, make_gaba_b
from swta.cells.synapses.table import QUANTITIES, SLOW_QUANTITIES, Measure
from swta.validation import ParameterError


def differences(a, b):
    """Which (pair, field) differ between two tables."""
    found = set()
    for pair, one in a.items():
        for name in QUANTITIES:
            if getattr(one, name) != getattr(b[pair], name) and not (
                np.isclose(getattr(one, name).value, getattr(b[pair], name).value, rtol=1e-12)
            ):
                found.add((pair, name))
        if one.slow is not None:
            for name in SLOW_QUANTITIES:
                if getattr(one.slow, name).value != getattr(b[pair].slow, name).value:
                    found.add((pair, f"slow_{name}"))
    return found


def test_every_variation_changes_lamp5_alone_and_one_field(synapses):
    table = load_synapses(gaba_b=True)
    seen = set()
    for variation in vary_lamp5(table, steps=2):
        value = LAMP5_VALUES[variation.name]
        changed = differences(table, variation.synapses)
        assert changed, variation.name
        fields = {name for _, name in changed}
        expected = {f"slow_{value.field}" if value.slow else value.field}
        if variation.name == "g_out":
            expected.add("slow_g_nS")
        assert fields == expected, variation.name
        for (pre, post), _ in changed:
            assert (pre == "Lamp5") if value.output else (post == "Lamp5" and pre != "Lamp5")
        seen.add(variation.name)
    assert seen == set(LAMP5_VALUES)


def test_values_run_from_lowest_to_highest(synapses):
    values = [v.value for v in vary_lamp5(synapses, ("decay_out_ms",), steps=6)]
    np.testing.assert_allclose(values, np.linspace(20.0, 70.0, 6))
    tables = list(vary_lamp5(synapses, ("g_out",), steps=3))
    np.testing.assert_allclose([t.value for t in tables], [1 / 3, 1.0, 3.0])
    g = [t.synapses["Lamp5", "Pyr"].g_nS.value for t in tables]
    np.testing.assert_allclose(g, synapses["Lamp5", "Pyr"].g_nS.value * np.array([1 / 3, 1, 3]))


def test_probabilities_stay_probabilities(synapses):
    for variation in vary_lamp5(synapses, ("probability_out", "probability_in")):
        for one in variation.synapses.values():
            assert 0 <= one.probability.value <= 1


def test_changed_values_say_that_they_are_assumed(synapses):
    (first, *_) = vary_lamp5(synapses, ("U_out",), steps=2)
    entry = first.synapses["Lamp5", "Vip"].U
    assert (entry.value, entry.status) == (0.2, "assumed")
    assert entry.source.startswith("varied from 0.4: ")


def test_without_gaba_b_its_values_are_left_out_or_refused(synapses):
    names = {v.name for v in vary_lamp5(synapses, steps=2)}
    assert names == {name for name, one in LAMP5_VALUES.items() if not one.slow}
    with pytest.raises(ParameterError, match=r"gaba_b_ratio.*gaba_b=True"):
        vary_lamp5(synapses, ("gaba_b_ratio",))


def test_gaba_b_ratio_is_of_the_fast_conductance():
    table = load_synapses(gaba_b=True)
    for variation in vary_lamp5(table, ("gaba_b_ratio",), steps=3):
        for (pre, _), one in variation.synapses.items():
            if pre == "Lamp5":
                expected = variation.value * one.g_nS.value
                assert one.slow.g_nS.value == pytest.approx(expected)
    made = make_gaba_b(Measure(2.0, 0, "proxy", "x"))
    assert made.g_nS.value == pytest.approx(2.0 * GABA_B_RATIO.value)


def test_published_values_lie_inside_the_ranges_to_try():
    one = load_synapses(gaba_b=True)["Lamp5", "Pyr"]
    for name, value in LAMP5_VALUES.items():
        if value.factor or name == "gaba_b_ratio":
            continue
        entry = getattr(one.slow if value.slow else one, value.field)
        assert value.low < entry.value < value.high, name


@pytest.mark.parametrize(
    ("names", "steps", "message"),
    [(("weight",), 3, "names = 'weight'"), (("g_out",), 1, "steps = 1")],
)
def test_unknown_names_and_single_steps_are_refused(synapses, names, steps, message):
    with pytest.raises(ParameterError, match=message):
        vary_lamp5(synapses, names, steps=steps)
