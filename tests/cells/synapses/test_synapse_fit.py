"""The whole fit on made tables: every value traced to its table; electrical synapses."""

import pandas as pd
import pytest

from swta.cells.synapses import PAIRS, fit_synapses, gap, measure_synapse_drift
from swta.cells.synapses.gap import load_gap_junctions
from swta.data import DataUnavailable
from swta.validation import ParameterError


def test_made_tables_give_all_pairs_with_their_own_values(tables, class_models):
    fit = fit_synapses(class_models)
    assert set(fit.synapses) == set(PAIRS)
    one = fit.synapses["Sst", "Vip"]
    assert one.psp_mV.value == pytest.approx(-0.44)
    assert one.psp_median_mV.value == pytest.approx(-0.4)
    assert (one.psp_rise_ms.value, one.psp_decay_ms.value) == (4.0, 25.0)
    assert one.delay_ms.value == 1.2
    assert (one.sigma_um.value, fit.synapses["Pyr", "Sst"].sigma_um.value) == (110.0, 100.0)
    assert one.g_log_sd.value == 0.6
    # Quartiles of the made potentials are 0.7 and 1.3 of their median, the mean is 1.1 of it.
    assert one.g_nS.low / one.g_nS.value == pytest.approx(0.7 / 1.1)
    assert one.g_nS.high / one.g_nS.value == pytest.approx(1.3 / 1.1)
    assert one.U.low < one.U.value < one.U.high
    assert any(note.startswith("LAMP5→Pyr") for note in fit.notes)


def test_median_amplitudes_give_conductances_in_proportion(tables, class_models):
    mean, median = (fit_synapses(class_models, amplitude=a) for a in ("mean", "median"))
    for pair in (("Pyr", "Sst"), ("Lamp5", "Pyr")):
        ratio = median.synapses[pair].g_nS.value / mean.synapses[pair].g_nS.value
        assert ratio == pytest.approx(1 / 1.1, rel=0.01)


def test_a_fit_is_the_same_every_time(tables, class_models):
    a, b = (fit_synapses(class_models).synapses for _ in range(2))
    assert measure_synapse_drift(a, b) == 0.0


def test_bare_parameters_serve_as_class_models_with_their_own_membranes(tables, class_models):
    bare = {name: one.parameters for name, one in class_models.items()}
    found, full = (fit_synapses(cells, membrane="central") for cells in (bare, class_models))
    assert found.membrane == "central"
    assert measure_synapse_drift(found.synapses, full.synapses) == 0.0
    for (_, post), one in found.synapses.items():
        assert one.membrane_ms.value == pytest.approx(bare[post].tau_m)
        assert one.leak_nS.value == pytest.approx(bare[post].g_L)
    with pytest.raises(ParameterError, match=r"bare AdEx parameters for Pyr.*'central'"):
        fit_synapses(bare)


def test_membranes_are_fitted_in_all_pairs_between_recorded_classes(tables, class_models):
    fit = fit_synapses(class_models)
    assert fit.membrane == "fitted"
    for (pre, post), one in fit.synapses.items():
        centre = class_models[post].parameters
        if "Lamp5" in (pre, post):
            assert one.membrane_ms.value == pytest.approx(centre.tau_m)
            continue
        tau = class_models[post].statistics["tau_ms"]
        entry = one.membrane_ms
        assert (entry.low, entry.high, entry.n) == (tau.q25, tau.q75, tau.n)
        assert tau.contains(entry.value) and entry.status == "proxy"
        assert entry.value != pytest.approx(centre.tau_m, rel=1e-6)


def test_lamp5_targets_get_the_kernel_of_the_other_interneurons(tables, class_models):
    found = fit_synapses(class_models).synapses
    others = [found["Sst", post].decay_ms.value for post in ("Pvalb", "Sst", "Vip")]
    assert found["Sst", "Lamp5"].decay_ms.value == pytest.approx(
        (others[0] * others[1] * others[2]) ** (1 / 3)
    )
    assert found["Lamp5", "Sst"].decay_ms.value == 30.0


def test_what_is_missing_is_said(class_models):
    with pytest.raises(DataUnavailable, match="physiology"):
        fit_synapses(class_models)
    with pytest.raises(ParameterError, match="class_models lacks Vip, Lamp5"):
        fit_synapses({name: class_models[name] for name in ("Pyr", "Pvalb", "Sst")})
    with pytest.raises(ParameterError, match="amplitude = 'max'"):
        fit_synapses(class_models, amplitude="max")
    with pytest.raises(ParameterError, match="membrane = 'free'"):
        fit_synapses(class_models, membrane="free")


@pytest.fixture
def electrical(monkeypatch):
    rows = []
    for pre, post, n in (("pv", "pv", 60), ("sst", "sst", 40), ("pv", "sst", 1)):
        for metric, value in (("junctional_conductance", 0.4), ("coupling_coefficient", 0.04)):
            rows.append(
                {
                    "metric": metric,
                    "pre": pre,
                    "post": post,
                    "n": n,
                    "median": value,
                    "q25": value / 2,
                    "q75": value * 2,
                }
            )
    table = pd.DataFrame(rows)
    table.attrs["file"] = "electrical.csv"
    monkeypatch.setattr(gap, "load_table", lambda name, folder=None: table)
    return table


def test_gap_junctions_with_few_recordings_are_listed(electrical):
    found = load_gap_junctions()
    assert set(found.junctions) == {("Pvalb", "Pvalb"), ("Sst", "Sst")}
    one = found.junctions["Pvalb", "Pvalb"]
    assert (one.conductance_nS.value, one.conductance_nS.n) == (0.4, 60)
    assert (one.coupling.low, one.coupling.high) == (0.02, 0.08)
    assert found.excluded == ("Pvalb - Sst: 1 recordings; needed: 5",)


def test_gap_junctions_of_unknown_classes_or_without_coupling_are_refused(electrical):
    electrical.loc[electrical["metric"] == "coupling_coefficient", "metric"] = "other"
    with pytest.raises(ParameterError, match=r"electrical.csv: 0 rows of coupling_coefficient"):
        load_gap_junctions()
    electrical["pre"] = "ndnf"
    with pytest.raises(ParameterError, match=r"electrical.csv: ndnf → pv"):
        load_gap_junctions()
