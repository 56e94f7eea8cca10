"""The fit to the measured tables: the numbers that chapter 1 reports, and the published table."""

import time

import pytest

from swta.cells.synapses import (
    compare_potentials,
    fit_synapses,
    load_synapses,
    measure_synapse_drift,
    score_synapses,
)
from swta.cells.synapses.gap import load_gap_junctions
from swta.cells.synapses.measured import load_measured_synapses

pytestmark = pytest.mark.realdata


@pytest.fixture
def fit(class_models):
    return fit_synapses(class_models)


def test_published_table_is_what_the_fit_gives(fit):
    assert measure_synapse_drift(fit.synapses, load_synapses(gaba_b=True)) < 1e-3


def test_targets_are_reached(fit, class_models):
    scores = score_synapses(fit.synapses, class_models)
    assert scores.psp_error_max <= 0.05
    assert scores.stp_inside == 1.0
    assert scores.kinetics_matched == 20  # within 15 %
    assert scores.kinetics_error_max <= 0.15


def test_central_membranes_miss_the_kinetics_of_four_pairs(class_models):
    central = fit_synapses(class_models, membrane="central")
    scores = score_synapses(central.synapses, class_models)
    assert scores.psp_error_max <= 0.05
    assert scores.kinetics_matched == 16
    named = {one.split(" (")[0] for one in scores.kinetics_missed}
    assert named == {"Pyr→Pyr", "Pyr→VIP", "Input→SST", "Input→VIP"}
    assert 0.3 < scores.kinetics_error_max < 0.35
    assert scores.psp_central_deviation_max == pytest.approx(scores.psp_error_max)


def test_largest_change_of_an_amplitude_on_central_cells(fit, class_models):
    table = compare_potentials(fit.synapses, class_models).set_index(["pre", "post"])
    assert table["central_deviation"].abs().idxmax() == ("Input", "Sst")
    assert table.loc[("Input", "Sst"), "central_deviation"] == pytest.approx(-0.19, abs=0.01)


def test_holding_potentials_stay_in_the_recordings_bins(fit):
    for one in fit.synapses.values():
        low, high = (-80.0, -60.0) if one.excitatory else (-60.0, -50.0)
        assert low - 1e-6 <= one.holding_mV.value <= high + 1e-6


def test_named_holding_potentials_match_fewer_kinetics_but_all_amplitudes(fit, class_models):
    named = score_synapses(fit_synapses(class_models, holding="named").synapses, class_models)
    assert named.psp_error_max <= 0.05
    assert named.kinetics_matched < score_synapses(fit.synapses, class_models).kinetics_matched


def test_values_are_those_of_the_tables(fit):
    one = fit.synapses["Pyr", "Pyr"]
    assert (one.psp_mV.value, one.psp_median_mV.value, one.psp_mV.n) == (0.263, 0.11, 13)
    assert one.probability.value == 0.11
    assert fit.synapses["Pvalb", "Vip"].probability.value == 0.0
    assert fit.synapses["Lamp5", "Pvalb"].probability.value == pytest.approx(0.17575, abs=1e-4)
    assert fit.synapses["Vip", "Pyr"].psp_mV.status == "pooled"
    measured = load_measured_synapses()
    assert {len(v) for v in measured.ndnf_ratios.values()} == {12, 13}


def test_facilitation_and_depression_are_where_the_recordings_found_them(fit):
    for pair in (("Pyr", "Sst"), ("Sst", "Vip")):
        assert fit.synapses[pair].tau_f_ms.value > 100
    for pair in (("Pvalb", "Pyr"), ("Pvalb", "Pvalb"), ("Pyr", "Pyr")):
        assert fit.synapses[pair].tau_f_ms.value < 20


def test_fit_of_all_pairs_takes_seconds(class_models):
    fit_synapses(class_models)  # compiled once
    began = time.process_time()
    fit_synapses(class_models)
    assert time.process_time() - began < 30


def test_gap_junctions_are_within_classes():
    found = load_gap_junctions()
    assert set(found.junctions) == {(c, c) for c in ("Pvalb", "Sst", "Vip")}
    assert found.junctions["Pvalb", "Pvalb"].conductance_nS.value == pytest.approx(0.38194)
    assert len(found.excluded) == 4
