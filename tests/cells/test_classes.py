"""Class statistics, the models derived from and fitted to them, and what ships with the package."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swta.cells import (
    CLASSES,
    DATA_SETS,
    FEATURES,
    ORIGINS,
    AdaptationFit,
    ClassStatistics,
    FeatureStatistics,
    StepProtocol,
    derive_adex,
    fit_adaptation,
    format_parameters,
    format_statistics,
    load_class,
    make_class,
    measure_cells,
    measure_classes,
    measure_drift,
    read_classes,
    rheobase,
    spike_threshold,
    tabulate,
    write_classes,
)
from swta.cells.adex import PARAMETER_NAMES
from swta.cells.derive import RHEOBASE_RESOLUTION
from swta.data.physiology import load_bundled_class_statistics
from swta.validation import ParameterError


def with_medians(statistics, **medians):
    """The same class with other medians; quartiles move along."""
    features = dict(statistics.features)
    for feature, median in medians.items():
        old = features[feature]
        shift = median - old.median
        features[feature] = FeatureStatistics(old.n, median, old.q25 + shift, old.q75 + shift)
    return replace(statistics, features=features)


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


def test_without_tables_the_bundled_statistics_are_taken(statistics):
    assert measure_classes() == statistics


def test_pyramidal_cells_differ_twofold_between_the_data_sets(statistics):
    other = measure_classes("patchseq")["Pyr"]["input_resistance_MOhm"].median
    assert 1.8 < statistics["Pyr"]["input_resistance_MOhm"].median / other < 2.5


def test_unknown_data_set_and_missing_feature_are_named(statistics):
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


@pytest.mark.parametrize("name", CLASSES)
def test_derived_cell_has_the_measured_features_by_closed_form(statistics, name):
    measured = statistics[name]
    cell = derive_adex(measured)
    current = rheobase(cell)
    assert cell.tau_m == pytest.approx(measured["tau_ms"].median)
    assert cell.input_resistance == pytest.approx(measured["input_resistance_MOhm"].median)
    assert current == pytest.approx(measured["rheobase_pA"].median - RHEOBASE_RESOLUTION / 2)
    assert spike_threshold(cell, current) == pytest.approx(
        measured["threshold_v_mV"].median, abs=1e-6
    )
    assert cell.V_reset <= min(cell.V_T, measured["fast_trough_v_mV"].median)
    assert cell.b == 0


@settings(max_examples=30)
@given(
    resistance=st.floats(50, 300),
    tau=st.floats(4, 30),
    drive=st.floats(10, 25),
    lift=st.floats(5, 20),
)
def test_derivation_inverts_its_formulas_for_any_cell(resistance, tau, drive, lift):
    measured = measure_classes("cell_types", load_bundled_class_statistics())["Sst"]
    rest = measured["v_rest_mV"].median
    current = 1e3 * drive / resistance
    changed = with_medians(
        measured,
        input_resistance_MOhm=resistance,
        tau_ms=tau,
        rheobase_pA=current,
        threshold_v_mV=rest + drive + lift,
    )
    cell = derive_adex(changed, rheobase_resolution_pA=0.0)
    assert rheobase(cell) == pytest.approx(current)
    assert spike_threshold(cell, current) == pytest.approx(rest + drive + lift, abs=1e-6)


@pytest.mark.parametrize(
    ("medians", "message"),
    [
        ({"input_resistance_MOhm": -5.0}, "class Sst: input_resistance_MOhm = -5"),
        ({"tau_ms": 0.0}, "class Sst: tau_ms = 0"),
        ({"rheobase_pA": 3.0}, "rheobase less half its resolution = -2"),
        ({"threshold_v_mV": -60.0}, "threshold_v_mV = -60 cannot be met; allowed: -4"),
    ],
)
def test_medians_that_no_cell_can_have_are_named(statistics, medians, message):
    with pytest.raises(ParameterError, match=message):
        derive_adex(with_medians(statistics["Sst"], **medians))


def test_fit_recovers_slope_and_adaptation_of_a_known_cell(statistics):
    """Measure a model cell, call the result a class, and fit: it must be matched again."""
    truth = replace(derive_adex(statistics["Sst"]), b=25.0, tau_w=120.0)
    found = measure_cells([truth], dt_ms=0.1).features.iloc[0]
    measured = with_medians(
        statistics["Sst"],
        fi_slope_hz_per_pA=found["fi_slope_hz_per_pA"],
        adaptation_index=found["adaptation_index"],
    )
    fit = fit_adaptation(measured, population=16, generations=15, seed=3)
    assert fit.cost < 0.05**2, "both medians within 5 % of an interquartile range"
    assert fit.parameters.b * fit.parameters.tau_w == pytest.approx(25.0 * 120.0, rel=0.15)
    again = fit_adaptation(measured, population=16, generations=15, seed=3)
    assert again == fit


def test_fit_stops_at_its_generations_and_says_so(statistics):
    fit = fit_adaptation(statistics["Pyr"], population=6, generations=1)
    assert not fit.converged
    assert fit.generations == 1


@pytest.mark.parametrize("bad", [{"population": 5}, {"generations": 0}, {"seed": -1}])
def test_fit_refuses_bad_sizes(statistics, bad):
    with pytest.raises(ParameterError, match=f"{next(iter(bad))} = "):
        fit_adaptation(statistics["Pyr"], **bad)


@pytest.mark.parametrize("data_set", DATA_SETS)
@pytest.mark.parametrize("name", CLASSES)
def test_published_class_is_derived_from_the_statistics_it_ships_with(name, data_set):
    one = load_class(name, data_set)
    assert one.statistics == measure_classes(data_set, load_bundled_class_statistics())[name]
    derived = derive_adex(one.statistics)
    for field in PARAMETER_NAMES:
        if field not in ("b", "tau_w"):
            assert getattr(one.parameters, field) == pytest.approx(
                getattr(derived, field), rel=1e-6
            )
    assert set(one.origins) == set(PARAMETER_NAMES)
    assert one.source.startswith(("allen", "gouwens", "berg"))


def test_published_fit_is_what_the_fit_gives_here():
    one = load_class("Sst")
    fit = fit_adaptation(one.statistics)
    assert fit.cost <= one.fit_cost + 1e-3
    assert measure_drift(make_class(one.statistics, fit), one) < 0.05


def test_published_model_shows_the_measured_features_when_simulated(statistics):
    cells = [load_class(name).parameters for name in CLASSES]
    features = measure_cells(cells, dt_ms=0.1).features
    for name, (_, row) in zip(CLASSES, features.iterrows(), strict=True):
        measured = statistics[name]
        assert row["v_rest_mV"] == pytest.approx(measured["v_rest_mV"].median, abs=0.1)
        assert row["input_resistance_MOhm"] == pytest.approx(
            measured["input_resistance_MOhm"].median, rel=0.01
        )
        assert row["tau_ms"] == pytest.approx(measured["tau_ms"].median, rel=0.01)
        assert row["rheobase_pA"] == measured["rheobase_pA"].median
        assert row["threshold_v_mV"] == pytest.approx(measured["threshold_v_mV"].median, abs=0.5)


def test_classes_survive_writing_and_reading(tmp_path, statistics):
    cell = replace(derive_adex(statistics["Vip"]), b=12.0)
    fit = AdaptationFit(parameters=cell, cost=0.25, converged=True, generations=3)
    one = make_class(statistics["Vip"], fit)
    path = tmp_path / "classes.json"
    write_classes({"cell_types": {"Vip": one}}, path)
    again = read_classes(path.read_text())["cell_types"]["Vip"]
    assert again.statistics == one.statistics
    assert measure_drift(again, one) < 1e-7
    assert measure_drift(one, one) == 0
    assert [entry.name for entry in tmp_path.iterdir()] == ["classes.json"]


@pytest.mark.parametrize("text", ["", "[]", "{}", json.dumps({"data_sets": {"x": {"Pyr": {}}}})])
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
    parameters = format_parameters({name: load_class(name) for name in CLASSES})
    assert parameters.loc["E_L (mV)", "SST"] == "-69.34"
    assert parameters.loc["b (pA)", "how"].startswith("fitted")
    assert {status for status, _ in ORIGINS.values()} == {
        "measured",
        "derived",
        "fitted",
        "assumed",
    }


def test_protocol_refuses_steps_that_do_not_fit():
    with pytest.raises(ParameterError, match="hero_pA = 45 is no step"):
        StepProtocol(hero_pA=45.0)
    with pytest.raises(ParameterError, match="two different negative"):
        StepProtocol(hyperpolarising_pA=(-10.0, 10.0))
    with pytest.raises(ParameterError, match="n_above = 2"):
        StepProtocol(n_above=2)


def test_a_cell_that_never_fires_is_named(statistics):
    cell = derive_adex(statistics["Sst"])
    silent = replace(cell, a=40.0)
    with pytest.raises(ParameterError, match="cell 1 never fires between"):
        measure_cells([cell, silent], dt_ms=0.1)


def test_class_statistics_are_a_mapping_with_clear_gaps(statistics):
    one = statistics["Pyr"]
    assert isinstance(one, ClassStatistics)
    assert one["tau_ms"].contains(one["tau_ms"].median)
    assert not one["tau_ms"].contains(one["tau_ms"].q75 + 1)
    with pytest.raises(KeyError):
        one["no_such_feature"]
    assert isinstance(tabulate(statistics), pd.DataFrame)
    assert np.isfinite(tabulate(statistics)["median"]).all()
