"""Records of synapses: what they allow, their table and their file."""

import json
from dataclasses import replace

import numpy as np
import pytest

from swta.cells import load_class
from swta.cells.statistics import BY_CLASS, DATA_SETS, DEFAULTS
from swta.cells.synapses import (
    PAIRS,
    STATUSES,
    Measure,
    load_synapses,
    measure_synapse_drift,
    tabulate_synapses,
)
from swta.cells.synapses.publish import read_synapses, write_synapses
from swta.cells.synapses.table import QUANTITIES, QUANTITY_UNITS, SLOW_QUANTITIES
from swta.validation import ParameterError


def test_published_table_holds_all_pairs_without_any_measured_data(synapses):
    """Tests run with SWTA_DATA unset: this is what a fresh machine has."""
    assert tuple(synapses) == PAIRS and len(PAIRS) == 30
    for one in synapses.values():
        for name in QUANTITIES:
            entry = getattr(one, name)
            assert entry.status in STATUSES and entry.source
            assert not entry.known or entry.low <= entry.high


@pytest.mark.parametrize("data_set", DATA_SETS)
def test_every_data_set_is_published_and_they_differ_in_conductances_only(synapses, data_set):
    other = load_synapses(data_set)
    for (pre, post), one in synapses.items():
        assert other[pre, post].probability == one.probability
        assert other[pre, post].U == one.U
        if post != "Lamp5" and pre != "Lamp5":
            same = other[pre, post].g_nS.value == pytest.approx(one.g_nS.value, rel=1e-2)
            assert same == (DEFAULTS[post] == data_set), (pre, post)


def test_signs_and_reversals_follow_the_presynaptic_class(synapses):
    for one in synapses.values():
        assert (one.psp_mV.value > 0) == one.excitatory
        assert one.reversal_mV.value == (14.0 if one.excitatory else -70.0)
        assert (one.holding_mV.value < one.reversal_mV.value) == one.excitatory


def test_no_lamp5_value_but_the_reversal_passes_for_measured(synapses):
    for (pre, post), one in synapses.items():
        if "Lamp5" not in (pre, post):
            continue
        for name in set(QUANTITIES) - {"reversal_mV"}:
            assert getattr(one, name).status in ("proxy", "assumed"), (pre, post, name)


def test_conductances_between_recorded_classes_are_measured_or_pooled(synapses):
    for (pre, post), one in synapses.items():
        if "Lamp5" not in (pre, post):
            assert one.g_nS.status == one.psp_mV.status in ("measured", "pooled")
            assert one.g_nS.source.startswith("fitted: ")
            assert one.g_nS.n >= 5


@pytest.mark.parametrize("data_set", (BY_CLASS, *DATA_SETS))
def test_published_membranes_lie_between_the_quartiles_of_their_class(data_set):
    for (pre, post), one in load_synapses(data_set).items():
        model = load_class(post, data_set)
        if "Lamp5" in (pre, post):
            assert one.membrane_ms.value == pytest.approx(model.parameters.tau_m, rel=1e-5)
            assert not one.membrane_ms.known
        else:
            tau = model.statistics["tau_ms"]
            assert tau.q25 * (1 - 1e-5) <= one.membrane_ms.value <= tau.q75 * (1 + 1e-5)
            assert one.membrane_ms.low == pytest.approx(tau.q25, rel=1e-5)
            assert one.membrane_ms.high == pytest.approx(tau.q75, rel=1e-5)
        assert one.membrane_ms.status == one.leak_nS.status == "proxy"


def test_gaba_b_comes_only_when_asked_for_and_only_from_lamp5(synapses):
    assert all(one.slow is None for one in synapses.values())
    with_slow = load_synapses(gaba_b=True)
    for (pre, _), one in with_slow.items():
        assert (one.slow is not None) == (pre == "Lamp5")
    slow = with_slow["Lamp5", "Pyr"].slow
    assert slow.reversal_mV.value < -70.0
    assert slow.decay_ms.value > 3 * with_slow["Lamp5", "Pyr"].decay_ms.value
    assert {getattr(slow, name).status for name in SLOW_QUANTITIES} == {"assumed"}


def test_table_is_long_and_complete(synapses):
    table = tabulate_synapses(load_synapses(gaba_b=True))
    assert len(table) == 30 * len(QUANTITIES) + 5 * len(SLOW_QUANTITIES)
    assert list(table.columns) == [
        *("pre", "post", "quantity", "value", "unit", "n", "low", "high", "status", "source")
    ]
    assert not table.drop(columns=["low", "high"]).isna().any(axis=None)
    row = table[(table.pre == "Pyr") & (table.post == "Sst") & (table.quantity == "g_nS")].iloc[0]
    assert row["value"] == synapses["Pyr", "Sst"].g_nS.value
    assert row["unit"] == "nS"
    assert QUANTITY_UNITS["sigma_um"] == "µm" and QUANTITY_UNITS["U"] == "1"


def test_writing_and_reading_gives_the_same_table(synapses, tmp_path):
    with_slow = load_synapses(gaba_b=True)
    again = read_synapses(write_synapses({BY_CLASS: with_slow}))[BY_CLASS]
    assert again == with_slow or all(
        np.isclose(a.value, b.value) and a.source == b.source and a.n == b.n
        for pair in PAIRS
        for a, b in [(again[pair].g_nS, with_slow[pair].g_nS)]
    )
    assert measure_synapse_drift(again, with_slow) == 0.0
    assert again["Lamp5", "Vip"].slow.decay_ms.value == 150.0
    assert again["Pyr", "Pyr"].membrane_ms == with_slow["Pyr", "Pyr"].membrane_ms
    assert again["Pyr", "Pyr"].leak_nS.value == with_slow["Pyr", "Pyr"].leak_nS.value
    path = tmp_path / "mine.json"
    path.write_text(write_synapses({BY_CLASS: again}), encoding="utf8")
    assert load_synapses(path=path).keys() == synapses.keys()
    with pytest.raises(ParameterError, match="data_set = 'patchseq' is unknown; allowed: by_class"):
        load_synapses("patchseq", path=path)


def test_drift_is_the_largest_relative_change(synapses):
    one = synapses["Pyr", "Pvalb"]
    moved = dict(synapses)
    moved["Pyr", "Pvalb"] = replace(one, g_nS=replace(one.g_nS, value=one.g_nS.value / 0.8))
    assert measure_synapse_drift(moved, synapses) == pytest.approx(0.2)
    with pytest.raises(ParameterError, match="different pairs"):
        measure_synapse_drift({("Pyr", "Pyr"): synapses["Pyr", "Pyr"]}, synapses)


def known(value):
    return Measure(value, 3, "measured", "a table")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pre": "Sncg"}, "pre = 'Sncg' is unknown"),
        ({"post": "Input"}, "post = 'Input' is unknown"),
        ({"probability": known(1.2)}, "probability = 1.2"),
        ({"sigma_um": known(0.0)}, "sigma_um = 0"),
        ({"delay_ms": known(-1.0)}, "delay_ms = -1"),
        ({"rise_ms": known(5.0)}, "decay_ms .* out of range.*decays more slowly"),
        ({"decay_ms": known(-2.0)}, "decay_ms = -2"),
        ({"g_nS": known(-0.1)}, "g_nS = -0.1"),
        ({"reversal_mV": known(400.0)}, "reversal_mV = 400"),
        ({"U": known(0.0)}, "U = 0"),
        ({"tau_d_ms": known(-5.0)}, "tau_d_ms = -5"),
        ({"tau_f_ms": known(-5.0)}, "tau_f_ms = -5"),
        ({"membrane_ms": known(0.0)}, "membrane_ms = 0"),
        ({"leak_nS": known(-1.0)}, "leak_nS = -1"),
    ],
)
def test_impossible_synapses_are_refused(synapses, change, message):
    with pytest.raises(ParameterError, match=message):
        replace(synapses["Pyr", "Sst"], **change)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((np.nan, 3, "measured", "x"), "value = nan"),
        ((1.0, -1, "measured", "x"), "n = -1"),
        ((1.0, 3, "guessed", "x"), "status = 'guessed'"),
        ((1.0, 3, "measured", " "), "source is empty"),
    ],
)
def test_impossible_measures_are_refused(values, message):
    with pytest.raises(ParameterError, match=message):
        Measure(*values)


def test_damaged_files_are_refused_with_the_place(synapses, tmp_path):
    text = write_synapses({"cell_types": synapses})
    content = json.loads(text)
    missing = json.loads(text)
    del missing["data_sets"]["cell_types"][3]
    short = json.loads(text)
    del short["data_sets"]["cell_types"][0]["g_nS"]
    before = json.loads(text)
    del before["data_sets"]["cell_types"][0]["membrane_ms"]
    for damaged, message in (
        ("{", "not a published table"),
        (json.dumps({"sources": []}), "not a published table.*data_sets"),
        (json.dumps(missing), r"cell_types: \('Pyr', 'Vip'\) is missing"),
        (json.dumps(short), "cell_types, Pyr → Pyr.*g_nS"),
        (json.dumps(before), "cell_types, Pyr → Pyr.*membrane_ms.*publish_synapses"),
        (json.dumps(content | {"sources": []}), "cell_types, Pyr → Pyr"),
    ):
        with pytest.raises(ParameterError, match=message):
            read_synapses(damaged)
    with pytest.raises(ParameterError, match="cannot be read"):
        load_synapses(path=tmp_path / "none.json")
    with pytest.raises(ParameterError, match="data_set"):
        load_synapses("elsewhere")
