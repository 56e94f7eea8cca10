"""Reading and pooling of the tables: made tables with known answers, and damaged ones."""

import numpy as np
import pytest

from swta.cells.synapses.measured import TABLES, load_measured_synapses
from swta.cells.synapses.table import PAIRS
from swta.validation import ParameterError

STATISTICS = TABLES["statistics"]


def remove(tables, name, rows):
    tables[name] = tables[name][~rows]


def row(tables, metric, pre, post):
    table = tables[STATISTICS]
    return (table["metric"] == metric) & (table["pre"] == pre) & (table["post"] == post)


def test_every_pair_is_there_and_recorded_ones_are_measured(tables):
    found = load_measured_synapses()
    assert set(found.pairs) == set(PAIRS)
    for (pre, post), one in found.pairs.items():
        expected = "proxy" if "Lamp5" in (pre, post) else "measured"
        assert {s.status for s in one.statistics.values()} == {expected}, (pre, post)
    assert found.pairs["Pyr", "Sst"].statistics["psp_amplitude"].mean == pytest.approx(0.44)
    assert found.pairs["Sst", "Pyr"].statistics["psp_amplitude"].mean == pytest.approx(-0.44)


def test_few_recordings_are_filled_up_to_five_with_related_pairs(tables):
    table = tables[STATISTICS]
    own = row(tables, "psp_amplitude", "vip", "l23pyr")
    table.loc[own, ["n", "mean", "median", "q25", "q75"]] = [2, -0.1, -0.1, -0.12, -0.08]
    found = load_measured_synapses()
    one = found.pairs["Vip", "Pyr"].statistics["psp_amplitude"]
    assert one.status == "pooled"
    assert one.mean == pytest.approx((2 * -0.1 + 3 * -0.44) / 5)
    assert "2 recordings of Vip → Pyr" in one.source
    assert any(note.startswith("VIP→Pyr: psp_amplitude pooled") for note in found.notes)


def test_pools_are_weighted_by_recordings(tables):
    remove(tables, STATISTICS, row(tables, "latency", "l4pyr", "vip"))
    table = tables[STATISTICS]
    heavy = row(tables, "latency", "l5it", "vip")
    table.loc[heavy, ["n", "mean"]] = [970, 3.0]
    one = load_measured_synapses().pairs["Input", "Vip"].statistics["latency"]
    assert one.n == 1000
    assert one.mean == pytest.approx((970 * 3.0 + 30 * 1.32) / 1000)


def test_onto_lamp5_the_other_interneurons_stand_in(tables):
    table = tables[STATISTICS]
    for post, value in (("pv", 1.0), ("sst", 2.0), ("vip", 6.0)):
        table.loc[row(tables, "psp_amplitude", "l23pyr", post), "mean"] = value
    one = load_measured_synapses().pairs["Pyr", "Lamp5"].statistics["psp_amplitude"]
    assert one.mean == pytest.approx(3.0)
    assert one.status == "proxy"


def test_probability_carries_the_interval_of_the_counts(tables):
    one = load_measured_synapses().pairs["Pyr", "Pvalb"].probability
    assert (one.value, one.n, one.status) == (0.4, 100, "measured")
    assert (one.low, one.high) == (pytest.approx(0.26), pytest.approx(0.58))


def test_probability_of_lamp5_and_input_comes_from_microscopy(tables):
    table = tables[TABLES["microscopy"]]
    table.loc[table["pre"] == "L1_Inh", "L2/3_PV"] = 0.33
    found = load_measured_synapses()
    assert found.pairs["Lamp5", "Pvalb"].probability.value == 0.33
    assert found.pairs["Lamp5", "Pvalb"].probability.status == "proxy"
    assert found.pairs["Input", "Pyr"].probability.status == "proxy"


def test_a_pair_that_was_never_connected_keeps_its_interval(tables):
    counts, versions = tables[TABLES["counts"]], tables[TABLES["probabilities"]]
    pair = (counts["pre"] == "Pvalb") & (counts["post"] == "Vip")
    counts.loc[pair, ["n_connected", "p", "ci95_low", "ci95_high"]] = [0, 0.0, 0.0, 0.06]
    versions.loc[(versions["pre"] == "Pvalb") & (versions["post"] == "Vip"), "probability"] = 0.0
    one = load_measured_synapses().pairs["Pvalb", "Vip"].probability
    assert (one.value, one.low, one.high) == (0.0, 0.0, 0.06)


def damage(column, value, metric="psp_rise_time"):
    def change(tables):
        tables[STATISTICS].loc[row(tables, metric, "pv", "sst"), column] = value

    return change


def drop_metric(tables):
    table = tables[STATISTICS]
    remove(tables, STATISTICS, table["metric"] == "latency")


def drop_pool(tables):
    table = tables[STATISTICS]
    remove(tables, STATISTICS, (table["metric"] == "latency") & (table["pre"] == "vip"))


def drop_count(tables):
    table = tables[TABLES["counts"]]
    remove(tables, TABLES["counts"], (table["pre"] == "Pyr") & (table["post"] == "Sst"))


def drop_recovery(tables):
    table = tables[TABLES["pooled"]]
    remove(tables, TABLES["pooled"], (table["pre"] == "Sst") & (table["post"] == "Vip"))


def not_at_zero(tables):
    tables[TABLES["probabilities"]]["is_pmax"] = 0.0


def few_ndnf(tables):
    table = tables[TABLES["ndnf"]]
    table.loc[table.index[2:9], "control"] = np.nan


def no_spread(tables):
    tables[TABLES["potentials"]]["logn_shape_90th"] = np.nan


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            damage("median", -4.0),
            r"stats_by_class.csv, line \d+ \(pv → sst\), column 'median'.*-4 ms",
        ),
        (damage("mean", np.nan), r"line \d+ \(pv → sst\), column 'mean': no value"),
        (damage("n", 3.5), r"column 'n': 3.5 is not a number of recordings"),
        (damage("q25", 9.0), r"quartiles 9, 5.2 do not enclose the median 4"),
        (drop_metric, "no row with metric latency"),
        (drop_pool, r"Vip → Pyr: latency has 0 recordings and 0 of related pairs.*needed: 5"),
        (drop_count, r"counts_l23.csv: 0 rows for Pyr → Sst"),
        (drop_recovery, r"pooled_matrices.csv: stp_recovery_250ms of Sst → Vip is missing"),
        (not_at_zero, r"Pyr → Pyr is no probability at zero distance"),
        (few_ndnf, r"ndnf.*csv: som_to_ndnf_ppr_10hz has 2 cells"),
        (no_spread, r"psp_characterization.csv: no amplitude distribution for Pyr → Pyr"),
    ],
)
def test_damaged_tables_are_refused_with_file_and_place(tables, change, message):
    change(tables)
    with pytest.raises(ParameterError, match=message):
        load_measured_synapses()
