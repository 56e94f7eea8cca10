"""Class statistics, and the class models that ship with the package."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from swta.cells import (
    CHOICES,
    CLASSES,
    DATA_SETS,
    DEFAULTS,
    FEATURES,
    AdExParameters,
    ClassStatistics,
    FeatureStatistics,
    StepProtocol,
    format_parameters,
    format_statistics,
    load_class,
    measure_classes,
    measure_drift,
    measure_virtual,
    read_classes,
    sample_cells,
    spike_threshold,
    tabulate,
    tabulate_parameters,
    write_classes,
)
from swta.cells.adex import PARAMETER_NAMES, rheobase
from swta.cells.coordinates import COORDINATES, ORIGINS, RHEOBASE_RESOLUTION
from swta.cells.statistics import choose_data_set
from swta.data.physiology import load_bundled_class_statistics
from swta.validation import ParameterError


@pytest.mark.parametrize("data_set", DATA_SETS)
def test_every_class_has_all_features_in_order(data_set):
    measured = measure_classes(data_set, load_bundled_class_statistics())
    assert tuple(measured) == CLASSES
    table = tabulate(measured)
    assert len(table) == 5 * len(FEATURES)
    assert (table["q25"] <= table["median"]).all()
    assert (table["median"] <= table["q75"]).all()
    assert measured["Pyr"].n == (65 if data_set == "cell_types" else 120)
    assert "teeter2018" in measured["Sst"].citations
    assert len(measured["Pyr"]) == len(list(measured["Pyr"]))


def test_each_class_has_a_default_data_set(statistics):
    measured = measure_classes()
    assert {name: one.data_set for name, one in measured.items()} == DEFAULTS
    assert measured["Pyr"] == statistics["Pyr"], "bundled where no table is at hand"
    assert measured["Vip"] == measure_classes("patchseq")["Vip"]
    assert choose_data_set("Vip") == "patchseq"
    assert choose_data_set("Vip", "cell_types") == "cell_types"
    assert set(CHOICES) == {"by_class", *DATA_SETS}


def test_pyramidal_cells_differ_twofold_between_the_data_sets(statistics):
    other = measure_classes("patchseq")["Pyr"]["input_resistance_MOhm"].median
    assert 1.8 < statistics["Pyr"]["input_resistance_MOhm"].median / other < 2.5


def test_unknown_data_set_and_missing_feature_are_named():
    with pytest.raises(ParameterError, match=r"data_set = 'patch' .* 'patchseq'"):
        measure_classes("patch")
    table = load_bundled_class_statistics()
    with pytest.raises(ParameterError, match=r"class Pvalb of cell_types has no tau_ms"):
        measure_classes(
            "cell_types", table[~((table["class"] == "Pvalb") & (table["feature"] == "tau_ms"))]
        )


def test_statistics_refuse_quartiles_in_the_wrong_order():
    with pytest.raises(ParameterError, match="q25 = 3 is out of range"):
        FeatureStatistics(n=4, median=2.0, q25=3.0, q75=4.0)
    with pytest.raises(ParameterError, match="n = 0"):
        FeatureStatistics(n=0, median=2.0, q25=1.0, q75=4.0)


@pytest.mark.parametrize("data_set", DATA_SETS)
@pytest.mark.parametrize("name", CLASSES)
def test_central_cell_has_the_medians_it_ships_with(name, data_set):
    """Rest, resistance, time constant, rheobase and threshold, by closed forms."""
    one = load_class(name, data_set)
    assert (one.name, one.data_set) == (name, data_set)
    bundled = measure_classes(data_set, load_bundled_class_statistics())[name]
    assert one.source == bundled.selection
    cell, tolerance = one.parameters, (2e-2 if one.source.startswith("berg") else 2e-4)
    assert pytest.approx(bundled["v_rest_mV"].median, rel=tolerance) == cell.E_L
    assert cell.input_resistance == pytest.approx(
        bundled["input_resistance_MOhm"].median, rel=tolerance
    )
    assert cell.tau_m == pytest.approx(bundled["tau_ms"].median, rel=tolerance)
    step = bundled["rheobase_pA"].median
    assert rheobase(cell) == pytest.approx(step - RHEOBASE_RESOLUTION / 2, rel=1e-6)
    assert spike_threshold(cell, step) == pytest.approx(
        bundled["threshold_v_mV"].median, rel=tolerance
    )
    assert set(one.origins) == set(PARAMETER_NAMES)
    assert 5 <= one.n_fitted <= one.n_measured


def test_central_cells_of_the_default_classes_match_the_features_they_were_fitted_to():
    classes = {name: load_class(name) for name in CLASSES}
    features = measure_virtual([one.parameters for one in classes.values()]).features
    for (name, one), (_, row) in zip(classes.items(), features.iterrows(), strict=True):
        own = one.statistics
        hero = "isi_rate_at_hero_hz" if one.data_set == "cell_types" else "hero_rate_hz"
        assert row["rheobase_pA"] == own["rheobase_pA"].median
        for feature in ("fi_slope_hz_per_pA", "adaptation_index", hero, "ahp_depth_mV"):
            miss = (row[feature] - own[feature].median) / own[feature].iqr
            assert abs(miss) < 0.5, f"{name} {feature}"


@pytest.mark.parametrize("name", CLASSES)
def test_sampled_cells_are_valid_varied_and_reproducible(name):
    cells = sample_cells(name, 60, seed=3)
    assert cells.shape == (60, len(PARAMETER_NAMES))
    for row in cells.tolist():
        cell = AdExParameters(*row)
        assert rheobase(cell) > 0, "no cell fires without input"
    assert np.array_equal(cells[:10], sample_cells(name, 10, seed=3))
    assert not np.allclose(cells, sample_cells(name, 60, seed=4))
    assert np.all(cells[:, :5].std(axis=0) > 0)


def test_sampling_takes_the_asked_data_set():
    g_L = PARAMETER_NAMES.index("g_L")
    ratio = np.median(sample_cells("Pyr", 200, seed=0, data_set="patchseq")[:, g_L]) / np.median(
        sample_cells("Pyr", 200, seed=0)[:, g_L]
    )
    assert 1.6 < ratio < 3.0, "74 against 161 MΩ"


@pytest.mark.parametrize(("n", "seed", "match"), [(0, 0, "n = 0"), (3, -1, "seed = -1")])
def test_sampling_refuses_bad_sizes(n, seed, match):
    with pytest.raises(ParameterError, match=match):
        sample_cells("Sst", n, seed=seed)


def test_classes_survive_writing_and_reading(tmp_path):
    one = load_class("Vip")
    path = tmp_path / "classes.json"
    write_classes({"patchseq": {"Vip": one}}, path)
    again = read_classes(path.read_text(encoding="utf8"))["patchseq"]["Vip"]
    assert again.statistics == one.statistics
    assert measure_drift(again, one)["centre"] < 1e-7
    assert measure_drift(one, one) == {"centre": 0.0, "distribution": 0.0}
    draws = [x.distribution.sample(20, np.random.default_rng(0)).cells for x in (one, again)]
    assert np.allclose(*draws)
    assert [entry.name for entry in tmp_path.iterdir()] == ["classes.json"]
    assert set(json.loads(path.read_text(encoding="utf8"))["versions"]) == {
        "numpy",
        "scipy",
        "numba",
    }


def test_drift_is_the_largest_change_of_the_centre_and_of_a_median():
    one = load_class("Sst")
    moved = replace(one, parameters=replace(one.parameters, b=2 * one.parameters.b))
    assert measure_drift(moved, one)["centre"] == pytest.approx(0.5)
    quantiles = dict(one.distribution.quantiles)
    values = quantiles["tau_ms"]
    quantiles["tau_ms"] = values + (values[15] - values[5])
    shifted = replace(one, distribution=replace(one.distribution, quantiles=quantiles))
    assert measure_drift(shifted, one)["distribution"] == pytest.approx(1.0)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", json.dumps({"levels": [], "data_sets": {"x": {"Pyr": {}}}})]
)
def test_unreadable_classes_say_what_to_do(text):
    with pytest.raises(ParameterError, match="write_classes"):
        read_classes(text)


def test_unknown_class_names_the_nearest():
    with pytest.raises(ParameterError, match="did you mean 'Pvalb'"):
        load_class("Pvalp")
    with pytest.raises(ParameterError, match="data_set"):
        load_class("Pvalb", "allen")


def test_tables_for_reading_name_units_and_origins(statistics):
    features = format_statistics(statistics)
    assert list(features) == ["Pyr", "PV", "SST", "VIP", "LAMP5"]
    assert features.loc["Rheobase (pA)", "PV"] == "330 (252 to 405; 38)"
    classes = {name: load_class(name) for name in CLASSES}
    parameters = format_parameters(classes)
    assert parameters.loc["E_L (mV)", "SST"] == "-69.34"
    assert parameters.loc["b (pA)", "how"].startswith("fitted")
    table = tabulate_parameters(classes, n=50, seed=0)
    assert len(table) == 5 * len(PARAMETER_NAMES)
    assert (table["q25"] <= table["q75"]).all()
    assert set(table["status"]) == {status for status, _ in ORIGINS.values()}
    assert set(COORDINATES.values()) == {"measured", "fitted"}


def test_protocol_refuses_steps_that_do_not_fit():
    with pytest.raises(ParameterError, match="hero_pA = 45 is no step"):
        StepProtocol(hero_pA=45.0)
    with pytest.raises(ParameterError, match="two different negative"):
        StepProtocol(hyperpolarising_pA=(-10.0, 10.0))
    with pytest.raises(ParameterError, match="n_above = 2"):
        StepProtocol(n_above=2)


def test_class_statistics_are_a_mapping_with_clear_gaps(statistics):
    one = statistics["Pyr"]
    assert isinstance(one, ClassStatistics)
    assert one["tau_ms"].contains(one["tau_ms"].median)
    assert not one["tau_ms"].contains(one["tau_ms"].q75 + 1)
    with pytest.raises(KeyError):
        one["no_such_feature"]
    assert isinstance(tabulate(statistics), pd.DataFrame)
