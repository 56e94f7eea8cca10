from __future__ import annotations

import json
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from swta.cells.adex import PARAMETER_NAMES
from swta.cells.classes import CLASSES
from swta.circuit import peer_record
from swta.circuit.brian_motif import build_motif
from swta.circuit.conditions import Condition
from swta.circuit.nest_motif import (
    RISE_MS,
    MissingSimulatorError,
    build_nest_motif,
    load_nest,
    run_nest_motif,
    simulate_nest,
)
from swta.circuit.network import Afferents, Network
from swta.circuit.pathways import Adjustment, kernel_area
from swta.circuit.peer import (
    STATES,
    PeerExperiment,
    PopulationRates,
    compare_rates,
    measure_rate_error,
    open_share,
    simulate_brian_rates,
    simulate_nest_rates,
    without_block,
)
from swta.circuit.peer_record import (
    StaleRecordError,
    load_nest_rates,
    record_nest_rates,
)
from swta.circuit.rate import DivergenceError
from swta.circuit.spiking import simulate_spiking
from swta.circuit.wiring import build_wiring
from swta.validation import ParameterError

QUIET = {name: Afferents(0.0) for name in ("pyr", "pv", "sst", "vip", "lamp5")}
LINEAR = {"magnesium_mM": 0.0, "nmda_ratio": 0.05}
SMALL = PeerExperiment(Network(n_cells=100, n_units=2), settle_s=0.1, measure_s=0.2, seeds=2)


@pytest.fixture
def nest():
    pytest.importorskip("nest", reason="NEST is not installed (extra: peers)")
    return load_nest()


def _lone_cells(excess=8.0):
    """Cells without synapses that fire because they rest above threshold."""
    wiring = build_wiring(Network(n_cells=60, n_units=2, **LINEAR, **QUIET), seed=5)
    parameters = wiring.parameters.copy()
    rest, onset = (PARAMETER_NAMES.index(p) for p in ("E_L", "V_T"))
    parameters[:, rest] = parameters[:, onset] + excess
    nothing = {
        name: np.zeros(0, dtype=getattr(wiring, name).dtype)
        for name in ("pre", "post", "weight_nS", "delay_ms", "receptor")
    }
    return replace(wiring, parameters=parameters, **nothing)


def test_lone_cells_fire_at_the_same_times(nest):
    """The step is small, for the error of Euler's steps adds up from spike to spike."""
    options = {"duration_s": 0.06, "seed": 0, "record": [(0, 0)], "dt_ms": 0.01}
    wiring, condition = _lone_cells(), Condition([0.0, 0.0])
    brian = simulate_spiking([wiring], [condition], compiled=False, **options).spikes[0, 0]
    other = simulate_nest([wiring], [condition], **options).spikes[0, 0]
    compared = set()
    for cell, kind in enumerate(wiring.cell_class):
        ours, theirs = (1e3 * np.sort(when[who == cell])[:3] for when, who in (brian, other))
        n = min(len(ours), len(theirs))
        np.testing.assert_allclose(ours[:n], theirs[:n], atol=0.2)
        if n > 1:
            compared.add(int(kind))
    assert compared == set(range(len(CLASSES)))


@pytest.mark.parametrize(
    ("pre", "post", "receptor", "names"),
    [
        ("Pyr", "Sst", 0, ["g_A"]),
        ("Pyr", "Pyr", 0, ["g_A", "g_N"]),
        ("Pvalb", "Pyr", 1, ["g_F"]),
        ("Sst", "Pyr", 2, ["g_S"]),
        ("Lamp5", "Pyr", 3, ["g_V"]),
    ],
)
def test_a_plastic_synapse_opens_the_same_conductances(nest, pre, post, receptor, names):
    dt_ms, duration_s = 0.02, 0.15
    lone = _lone_cells(excess=30.0)
    sender = int(np.flatnonzero(lone.cell_class == CLASSES.index(pre))[0])
    receiver = int(np.flatnonzero(lone.cell_class == CLASSES.index(post))[-1])
    parameters = lone.parameters.copy()
    parameters[receiver, PARAMETER_NAMES.index("E_L")] -= 60.0
    plasticity = lone.plasticity.copy()
    plasticity[CLASSES.index(pre), CLASSES.index(post)] = 0.2, 80.0, 150.0
    wiring = replace(
        lone,
        parameters=parameters,
        plasticity=plasticity,
        pre=np.array([sender]),
        post=np.array([receiver]),
        weight_nS=np.array([1.5]),
        delay_ms=np.array([1.1]),
        receptor=np.array([receptor]),
    )
    condition = Condition([0.0, 0.0], efficacy={(pre, post): 0.8})
    ours = _brian_conductances(wiring, condition, receiver, names, dt_ms, duration_s)
    theirs = _nest_conductances(nest, wiring, condition, receiver, dt_ms, duration_s)
    fast = wiring.decay_ms[receptor, CLASSES.index(post)]
    assert len(ours) == len(theirs) == len(names)
    for g, h, decay in zip(ours, theirs, (fast, wiring.network.nmda_decay_ms), strict=False):
        jumps, peaks = _peaks(g), _peaks(h) * kernel_area(RISE_MS, decay) / decay
        n = min(len(jumps), len(peaks))
        assert n >= 4
        np.testing.assert_allclose(jumps[:n], peaks[:n], rtol=0.02)
    first = 1.5 * 0.8
    assert _peaks(ours[0])[0] == pytest.approx(first, rel=0.01)


def _peaks(course):
    inside = course[1:-1]
    return inside[(inside > course[:-2]) & (inside >= course[2:])]


def _brian_conductances(wiring, condition, cell, names, dt_ms, duration_s):
    import brian2 as b2

    motif = build_motif([(wiring, condition)], dt_ms=dt_ms, compiled=False)
    monitor = b2.StateMonitor(
        motif.cells,
        names,
        record=[cell],
        clock=motif.cells.clock,
        codeobj_class=motif.cells.codeobj_class,
    )
    motif.network.add(monitor)
    motif.network.run(duration_s * b2.second, namespace={})
    return [np.asarray(getattr(monitor, name)[0]) for name in names]


def _nest_conductances(nest, wiring, condition, cell, dt_ms, duration_s):
    motif = build_nest_motif(wiring, condition, seed=[0], dt_ms=dt_ms)
    ports = [name for name in motif.cells[cell].recordables if name.startswith("g_")]
    meter = nest.Create("multimeter", params={"record_from": ports, "interval": dt_ms})
    nest.Connect(meter, motif.cells[cell])
    run_nest_motif(motif, duration_s)
    courses = [np.asarray(meter.events[port]) for port in sorted(ports)]
    return [course for course in courses if course.any()]


def test_a_small_network_has_the_same_rates(nest):
    network = without_block(Network(n_cells=300, n_units=2))
    wirings = [build_wiring(network, seed=seed) for seed in (0, 1)]
    condition = Condition([3.0, 1.5])
    runs = [
        simulate(wirings, [condition], duration_s=0.8, seed=0, **options)
        for simulate, options in (
            (simulate_spiking, {"compiled": False}),
            (simulate_nest, {"tolerance": 1e-3}),
        )
    ]
    assert runs[0].populations == runs[1].populations
    np.testing.assert_array_equal(runs[0].sizes, runs[1].sizes)
    brian, other = (run.mean_rates_hz(0.2)[0].mean(0) for run in runs)
    spikes = (runs[0].counts[20:].sum((0, 1, 2)) + runs[1].counts[20:].sum((0, 1, 2))) / 2
    allowed = 0.1 + 4 * np.sqrt(2 / np.maximum(spikes, 1))
    assert (np.abs(brian - other) <= allowed * other).all()
    assert spikes.sum() > 500
    assert np.nanmedian(runs[1].interval_cv) == pytest.approx(
        np.nanmedian(runs[0].interval_cv), abs=0.15
    )


def test_drive_reaches_its_unit_and_follows_its_course_in_nest(nest):
    quiet = QUIET | {"pyr": Afferents(0.0, own_gain=8.0)}
    wiring = build_wiring(Network(n_cells=100, n_units=2, **LINEAR, **quiet), seed=0)
    course = np.zeros((30, 2))
    course[10:20, 1] = 2.0
    result = simulate_nest([wiring], [Condition(course)], duration_s=0.3, seed=0, tolerance=1e-3)
    first, second, third = (result.mean_rates_hz(s, s + 0.1)[0, 0] for s in (0.0, 0.1, 0.2))
    assert second[1] > 5 and second[0] == 0
    assert first[1] == 0 and third[1] < second[1] / 3


def test_nest_noise_is_its_seed(nest):
    wiring = build_wiring(Network(n_cells=60, n_units=2, **LINEAR), seed=0)
    counts = [
        simulate_nest([wiring], [Condition([3.0, 3.0])], duration_s=0.1, seed=seed, tolerance=1e-3)
        for seed in (1, 1, 2)
    ]
    np.testing.assert_array_equal(counts[0].counts, counts[1].counts)
    assert not np.array_equal(counts[0].counts, counts[2].counts)


def test_a_runaway_network_stops_in_nest(nest):
    calm = {(a, b): 0.0 for a in CLASSES for b in CLASSES}
    wild = Condition([0.0, 0.0], efficacy=calm, extra_khz={"Pvalb": 500.0})
    wiring = build_wiring(Network(n_cells=60, n_units=2, **LINEAR), seed=1)
    with pytest.raises(DivergenceError, match=r"Pvalb fires at \d+ Hz at \d+ ms, in the network"):
        simulate_nest([wiring], [wild], duration_s=0.1, seed=0, tolerance=1e-3)


def test_recorded_rates_are_those_of_a_run(nest, tmp_path):
    path = tmp_path / "rates.json"
    fresh = record_nest_rates(path, SMALL)
    loaded = load_nest_rates(SMALL, path=path)
    np.testing.assert_allclose(loaded.rates_hz, fresh.rates_hz, atol=1e-4)
    assert loaded.source.startswith("recorded with NEST 3")


def test_impossible_runs_of_nest():
    blocked = build_wiring(Network(n_cells=60, n_units=2), seed=0)
    fine = Condition([0.0, 0.0])
    with pytest.raises(ParameterError, match="magnesium_mM = 1, but NEST's AdEx cell has no"):
        simulate_nest([blocked], [fine], duration_s=0.1, seed=0)
    with pytest.raises(ParameterError, match="at least one of each"):
        simulate_nest([], [fine], duration_s=0.1, seed=0)
    with pytest.raises(ParameterError, match="duration_s = 0"):
        simulate_nest([blocked], [fine], duration_s=0.0, seed=0)


def test_missing_nest_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "nest", None)
    with pytest.raises(MissingSimulatorError, match=r"pip install 'swta\[peers\]'"):
        simulate_nest_rates(SMALL)


def test_without_block_keeps_what_a_typical_cell_sees():
    network = Network(n_cells=100, n_units=2)
    linear = without_block(network)
    assert 0.02 < open_share(network) < 0.5
    assert linear.nmda_ratio == pytest.approx(network.nmda_ratio * open_share(network))
    assert linear.magnesium_mM == 0
    assert without_block(linear) == linear


def _rates(simulator, values, seeds=(0, 1, 2)):
    """Rates of one state and two populations, (n_seeds, 2)."""
    return PopulationRates(simulator, ("rest",), seeds, ("Pyr 0", "Pvalb"), np.array([values]))


def test_rates_agree_within_ten_percent_or_two_standard_errors():
    reference = _rates("NEST", [[10.0, 0.2], [12.0, 0.4], [14.0, 0.6]])
    close = _rates("Brian 2", [[10.5, 0.2], [13.5, 0.7], [15.0, 0.9]])
    table = compare_rates(close, reference)
    assert list(table.columns) == [
        "state",
        "population",
        "Brian 2 (Hz)",
        "NEST (Hz)",
        "deviation",
        "s.e.m. (Hz)",
        "agrees",
    ]
    assert table["deviation"].tolist() == pytest.approx([1 / 12, 0.5])
    gaps = np.array([0.0, 0.3, 0.3])
    assert table["s.e.m. (Hz)"][1] == pytest.approx(gaps.std(ddof=1) / np.sqrt(3))
    assert table["agrees"].tolist() == [True, True]
    error = measure_rate_error(table)
    assert error.agrees and error.worst == pytest.approx(1.0)
    assert error.deviation == pytest.approx(0.5)
    assert error.deviation_at == "Pvalb in the state rest"

    far = _rates("Brian 2", [[11.5, 0.2], [13.4, 0.4], [15.6, 0.6]])
    error = measure_rate_error(compare_rates(far, reference))
    assert not error.agrees and (error.n_agree, error.n_compared) == (1, 2)
    assert error.worst_at == "Pyr 0 in the state rest"
    assert error.worst == pytest.approx(1.5 / 1.2)


def test_silent_populations_agree_and_a_silenced_one_does_not():
    silent = _rates("NEST", [[1.0, 0.0], [1.0, 0.0], [1.0, 0.0]])
    assert measure_rate_error(compare_rates(_rates("Brian 2", silent.rates_hz[0]), silent)).agrees
    loud = _rates("Brian 2", [[1.0, 0.3], [1.0, 0.3], [1.0, 0.3]])
    error = measure_rate_error(compare_rates(loud, silent))
    assert not error.agrees and error.worst == np.inf


def test_only_networks_that_both_ran_are_compared():
    reference = _rates("NEST", [[10.0, 1.0], [12.0, 1.0], [99.0, 9.0]])
    fewer = _rates("Brian 2", [[12.0, 1.0], [10.0, 1.0]], seeds=(1, 0))
    assert measure_rate_error(compare_rates(fewer, reference)).deviation == 0


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (_rates("NEST", np.ones((3, 2))), "rates of NEST twice"),
        (_rates("Brian 2", np.ones((3, 2)), seeds=(2, 3, 4)), "at least two must be the same"),
        (
            PopulationRates("Brian 2", ("rest",), (0, 1), ("Pyr 0", "Sst"), np.ones((1, 2, 2))),
            "populations",
        ),
        (
            PopulationRates("Brian 2", ("other",), (0, 1), ("Pyr 0", "Pvalb"), np.ones((1, 2, 2))),
            "states",
        ),
    ],
)
def test_rates_that_cannot_be_compared(other, message):
    with pytest.raises(ParameterError, match=message):
        compare_rates(other, _rates("NEST", np.ones((3, 2))))


def test_impossible_rates():
    with pytest.raises(ParameterError, match=r"rates_hz of shape \(1, 3, 2\)"):
        _rates("NEST", [[1.0, 1.0], [1.0, -1.0], [1.0, 1.0]])
    with pytest.raises(ParameterError, match="rates_hz of shape"):
        _rates("NEST", [[1.0, 1.0]])


def test_brian_rates_of_an_experiment():
    rates = simulate_brian_rates(SMALL, compiled=False)
    assert rates.states == STATES and rates.seeds == (0, 1)
    assert rates.populations == ("Pyr 0", "Pyr 1", *CLASSES[1:])
    assert rates.rates_hz.sum() > 0
    assert isinstance(compare_rates(rates, replace(rates, simulator="NEST")), pd.DataFrame)


@pytest.fixture
def recorded(tmp_path, monkeypatch):
    """A record of made-up rates of the small experiment."""

    def invent(experiment, *, threads, tolerance):
        wiring = experiment.wirings()[0]
        shape = (len(STATES), experiment.seeds, len(wiring.populations))
        rates = np.arange(np.prod(shape), dtype=float).reshape(shape) / 7
        return PopulationRates("NEST", STATES, experiment.wiring_seeds, wiring.populations, rates)

    monkeypatch.setattr(peer_record, "simulate_nest_rates", invent)
    monkeypatch.setattr(peer_record.metadata, "version", lambda name: "3.10.0")
    path = tmp_path / "rates.json"
    return record_nest_rates(path, replace(SMALL, seeds=3)), path


def test_a_record_comes_back(recorded):
    rates, path = recorded
    loaded = load_nest_rates(SMALL, path=path)
    np.testing.assert_allclose(loaded.rates_hz, rates.rates_hz, atol=1e-4)
    assert loaded.seeds == (0, 1, 2) and loaded.populations == rates.populations
    assert loaded.source == "recorded with NEST 3.10.0"
    assert not list(path.parent.glob("*.part"))


def test_the_shipped_record_is_of_the_default_network():
    """Where this fails, ``python benchmarks/circuit.py --nest-record`` makes the record anew."""
    experiment = PeerExperiment()
    rates = load_nest_rates(experiment)
    assert rates.states == STATES and rates.seeds == experiment.wiring_seeds
    assert rates.rates_hz.shape[2] == experiment.network.n_units + len(CLASSES) - 1


@pytest.mark.parametrize(
    ("experiment", "message"),
    [
        (replace(SMALL, drive_khz=1.0), "drive_khz was 2.0 and is 1.0"),
        (replace(SMALL, measure_s=0.3), "measure_s was 0.2 and is 0.3"),
        (replace(SMALL, seeds=4), "no network of seed 3"),
        (replace(SMALL, network=replace(SMALL.network, n_cells=120)), "n_cells was 100 and is 120"),
        (replace(SMALL, network=replace(SMALL.network, pv=Afferents(0.5))), "pv was"),
        (
            replace(
                SMALL,
                network=replace(SMALL.network, adjustments=(Adjustment("Sst", "Pyr", 9.0, "x"),)),
            ),
            "adjustments was",
        ),
    ],
)
def test_a_record_of_another_experiment_is_refused(recorded, experiment, message):
    with pytest.raises(StaleRecordError, match=message):
        load_nest_rates(experiment, path=recorded[1])


def test_the_reason_of_an_adjustment_makes_nothing_stale(recorded):
    other = tuple(replace(a, reason="worded otherwise") for a in SMALL.network.adjustments)
    same = replace(SMALL, network=replace(SMALL.network, adjustments=other))
    assert load_nest_rates(same, path=recorded[1]).simulator == "NEST"


@pytest.mark.parametrize("table", ["cells", "synapses"])
def test_a_record_of_older_tables_is_refused(recorded, table):
    content = json.loads(recorded[1].read_text())
    content["inputs"]["tables"][table] = "0" * 64
    recorded[1].write_text(json.dumps(content))
    with pytest.raises(StaleRecordError, match=f"the published table of {table} has changed.*anew"):
        load_nest_rates(SMALL, path=recorded[1])


def test_a_record_of_networks_drawn_otherwise_is_refused(recorded):
    content = json.loads(recorded[1].read_text())
    content["inputs"]["drawn"]["weight_nS"] *= 1.001
    recorded[1].write_text(json.dumps(content))
    with pytest.raises(StaleRecordError, match=r"networks are drawn otherwise \(weight_nS\)"):
        load_nest_rates(SMALL, path=recorded[1])


@pytest.mark.parametrize("text", ["", "{}", '{"inputs": 3, "versions": {}}', "[1]"])
def test_a_broken_record_says_so(tmp_path, text):
    path = tmp_path / "rates.json"
    path.write_text(text)
    with pytest.raises(ParameterError, match=r"is no record of NEST rates.*--nest-record"):
        load_nest_rates(SMALL, path=path)


def test_a_missing_record_says_how_to_make_it(tmp_path):
    with pytest.raises(ParameterError, match=r"cannot be read.*--nest-record"):
        load_nest_rates(SMALL, path=tmp_path / "absent.json")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PeerExperiment(drive_khz=0.0), "drive_khz = 0"),
        (lambda: PeerExperiment(seeds=1), "seeds = 1"),
        (lambda: PeerExperiment(measure_s=0.0), "measure_s = 0"),
    ],
)
def test_impossible_experiments(make, message):
    with pytest.raises(ParameterError, match=message):
        make()
