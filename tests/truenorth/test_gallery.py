"""Published neurons: the expectations of the README of pytruenorth, and the twenty behaviours."""

from dataclasses import replace
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pytest

from swta.truenorth import (
    BEHAVIOURS,
    Chip,
    Core,
    Neurons,
    behaviour_chip,
    gallery_table,
    plots,
    simulate_behaviour,
    simulate_gallery,
    simulate_trace,
)
from swta.validation import ParameterError


def single(*, potential=0, weight=0, **fields):
    """A chip with one neuron of interest (0), driven through axon 0."""
    crossbar = np.zeros((256, 256), dtype=bool)
    crossbar[0, 0] = True
    neurons = Neurons(weights=weight, potential=[potential] + [0] * 255, **fields)
    return Chip([Core(0, crossbar, neurons)])


def counted_from_one(raster):
    """Ticks of neuron 0 as that README counts them."""
    return raster.ticks(0, 0) + 1


@pytest.mark.parametrize(
    ("fields", "driven", "period", "phase"),
    [
        ({"threshold": 10, "leak": 1}, False, 10, 0),
        ({"threshold": 10, "leak": 1, "potential": 1}, False, 10, 9),
        ({"threshold": 11, "leak": 2}, False, 6, 0),
        # sent from time 0, so active from tick 1 on; in tick 0 the leak alone is reset from -1
        ({"threshold": 10, "leak": -1, "weight": 3}, True, 5, 1),
    ],
)
def test_periods_and_phases(fields, driven, period, phase):
    inputs = [(tick, 0, 0) for tick in range(1, 61)] if driven else []
    ticks = counted_from_one(single(**fields).run(inputs, 61))
    assert len(ticks) >= 5
    assert set(np.diff(ticks)) <= {period}
    if "potential" in fields:
        assert ticks[0] == phase
    else:
        assert ticks[0] % period == phase


def named_chip(name):
    """A chip with the neurons of one behaviour."""
    return behaviour_chip(BEHAVIOURS[name])


ONE_SPIKE = [(100, 0, 0)]
EVERY_TICK = [(tick, 0, 0) for tick in range(100, 400)]


def test_tonic_bursting_after_one_spike():
    chip = named_chip("tonic bursting")
    raster = chip.run([*ONE_SPIKE, (250, 0, 0)], 400)
    burst = [116, 133, 150, 167, 184, 201]
    assert raster.ticks(0, 0).tolist() == burst + [tick + 150 for tick in burst]
    assert raster.ticks(0, 1).tolist() == [202, 352]
    assert chip.potentials[0, 0] == 0


def test_tonic_bursting_under_steady_input():
    raster = named_chip("tonic bursting").run(EVERY_TICK, 400)
    burst = np.arange(108, 154, 9)
    expected = (burst + 56 * np.arange(6)[:, None]).ravel()
    assert raster.ticks(0, 0).tolist() == expected[expected < 400].tolist()
    assert raster.ticks(0, 1).tolist() == [154, 210, 266, 322, 378]


@pytest.mark.parametrize(
    ("inputs", "burst", "end", "rest"),
    [
        (ONE_SPIKE, [116, 133, 150, 167, 184, 201], 202, -20),
        (EVERY_TICK, [108, 117, 126, 135, 144, 153], 154, -17),
    ],
)
def test_phasic_bursting(inputs, burst, end, rest):
    chip = named_chip("phasic bursting")
    first = chip.run([row for row in inputs if row[0] < 300], 300)
    later = chip.run([row for row in inputs if row[0] >= 300], 100)
    assert first.ticks(0, 0).tolist() == burst
    assert first.ticks(0, 1).tolist() == [end]
    assert len(later.events) == 0
    assert chip.potentials[0, 0] == rest


def every(step, axon, start=0):
    return [(tick, 0, axon) for tick in range(start, 100, step)]


@pytest.mark.parametrize(
    ("rest", "inputs", "expected"),
    [
        (0, every(2, axon=0), [0]),
        (-10, [(5, 0, 1), *every(2, axon=0, start=7)], [5]),
        (0, every(1, axon=0), list(range(0, 100, 7))),
        (-10, every(1, axon=1), list(range(100))),
    ],
    ids=["weight 4", "weight 20 from rest", "weight 4 every tick", "weight 20 every tick"],
)
def test_phasic_spiking(rest, inputs, expected):
    behaviour = BEHAVIOURS["phasic spiking"]
    cell = replace(behaviour.cells[0], potential=rest)
    chip = behaviour_chip(replace(behaviour, cells=(cell,)))
    assert chip.run(inputs, 100).ticks(0, 0).tolist() == expected


def test_trace_shows_every_tick():
    inputs = [(tick, 0) for tick in range(10, 80)]
    trace = simulate_trace(named_chip("tonic bursting"), inputs, n_ticks=80, n_neurons=2)
    raster = named_chip("tonic bursting").run([(tick, 0, 0) for tick in range(10, 80)], 80)
    for neuron in (0, 1):
        assert trace.ticks[trace.spikes[:, neuron]].tolist() == raster.ticks(0, neuron).tolist()
    assert trace.potentials[:10].tolist() == [[0, 0]] * 10
    # one input and a leak of one: V rises by 2 a tick until it reaches 18
    assert trace.potentials[10:18, 0].tolist() == list(range(2, 18, 2))


def fired(name, inputs=None):
    """Ticks in which neuron 0 of a behaviour fired."""
    trace = simulate_behaviour(name, inputs=inputs).trace
    return trace.ticks[trace.spikes[:, 0]].tolist()


def span(name):
    """First and last tick of the behaviour's own input."""
    ticks = [tick for tick, _ in BEHAVIOURS[name].inputs]
    return min(ticks), max(ticks)


def bursts(ticks, gap):
    """Cut spikes into bursts at intervals of more than ``gap``."""
    return np.split(ticks, np.flatnonzero(np.diff(ticks) > gap) + 1)


def test_all_twenty_are_there_and_silent_without_input():
    assert len(BEHAVIOURS) == 20
    for result in simulate_gallery():
        name = result.behaviour.name
        start = span(name)[0]
        assert not result.trace.spikes[:start].any()
        assert fired(name, []) == []
        assert result.trace.spikes[:, 0].any()
        assert 1 <= len(result.behaviour.cells) <= 3
        assert (result.drive != 0).sum() == len({tick for tick, _ in result.behaviour.inputs})


def test_published_sets_are_marked():
    marked = {b.name for b in BEHAVIOURS.values() if b.origin == "published"}
    assert marked == {"phasic spiking", "tonic bursting", "phasic bursting"}
    assert {b.origin for b in BEHAVIOURS.values()} == {"published", "derived", "searched"}


def test_tonic_spiking():
    start, stop = span("tonic spiking")
    ticks = fired("tonic spiking")
    assert len(ticks) >= 10
    assert len(set(np.diff(ticks))) == 1
    assert start < ticks[0] and stop - ticks[-1] < np.diff(ticks)[0]


def test_phasic_spiking_once_per_onset():
    own = list(BEHAVIOURS["phasic spiking"].inputs)
    assert fired("phasic spiking") == [20]
    again = [(tick + 200, axon) for tick, axon in own]
    assert fired("phasic spiking", own + again) == [20, 220]


def test_tonic_bursting_goes_on():
    groups = bursts(fired("tonic bursting"), 20)
    assert [len(group) for group in groups[:-1]] == [6] * 3
    pauses = [b[0] - a[-1] for a, b in pairwise(groups)]
    assert min(pauses) > 2 * max(np.diff(group).max() for group in groups)


def test_phasic_bursting_ends():
    (burst,) = bursts(fired("phasic bursting"), 20)
    assert len(burst) == 6
    assert span("phasic bursting")[1] - burst[-1] > 300


def test_mixed_mode():
    intervals = np.diff(fired("mixed mode"))
    assert intervals[:3].tolist() == [2, 2, 2]
    assert set(intervals[3:]) == {20} and len(intervals) >= 9
    later = [(tick + 300, axon) for tick, axon in BEHAVIOURS["mixed mode"].inputs]
    assert np.diff(fired("mixed mode", later)).tolist() == intervals.tolist()


def test_spike_frequency_adaptation():
    intervals = np.diff(fired("spike-frequency adaptation"))
    assert (np.diff(intervals) >= 0).all()
    assert len(set(intervals)) >= 5
    assert intervals[-1] == intervals[-2] >= 2 * intervals[0]
    own = list(BEHAVIOURS["spike-frequency adaptation"].inputs)
    both = fired("spike-frequency adaptation", own + [(tick + 400, axon) for tick, axon in own])
    assert np.diff([tick for tick in both if tick > 400]).tolist() == intervals.tolist()


def rates_by_level(name):
    """Spikes per tick, from rest, for 0 to 8 active axons."""
    rates = []
    for level in range(9):
        rows = [(tick, axon) for tick in range(10, 810) for axon in range(level)]
        ticks = np.array(fired(name, rows))
        rates.append(((ticks >= 10) & (ticks < 810)).sum() / 800)
    return np.array(rates)


def test_class_1_starts_from_zero():
    rates = rates_by_level("class 1")
    expected = np.maximum(0, np.arange(9) - 1) / 40  # (input - leak) over threshold
    np.testing.assert_allclose(rates, expected, atol=2 / 800)
    active = rates[rates > 0]
    assert active[0] < 0.2 * active[-1]


def test_class_2_starts_with_a_jump():
    rates = rates_by_level("class 2")
    assert (rates[:5] == 0).all()
    assert (np.diff(rates[5:]) >= 0).all() and rates[8] > rates[5]
    assert rates[5] > 0.7 * rates[8]


def test_spike_latency_falls_with_strength():
    weak, strong = ([(50, axon)] for axon in (0, 1))
    late, early = fired("spike latency", weak), fired("spike latency", strong)
    assert len(late) == len(early) == 1
    assert late[0] - 50 > early[0] - 50 > 10
    assert fired("spike latency") == [late[0] - 30, early[0] + 50]


def test_subthreshold_oscillation():
    result = simulate_behaviour("subthreshold oscillation")
    trace = result.trace
    assert fired("subthreshold oscillation") == [20]
    after = trace.potentials[30:, 0]
    assert after.max() < result.behaviour.cells[0].threshold
    np.testing.assert_array_equal(after[8:], after[:-8])
    turns = np.flatnonzero(np.diff(np.sign(np.diff(after))) != 0)
    assert np.ptp(after) >= 5 and len(turns) >= 15


def pair(name, interval):
    return fired(name, [(20, 0), (20 + interval, 0)])


def test_resonator_answers_one_interval():
    answers = [interval for interval in range(1, 40) if pair("resonator", interval)]
    assert answers == [10]
    assert fired("resonator", [(20, 0)]) == []


def test_integrator_answers_short_intervals():
    answers = [interval for interval in range(1, 40) if pair("integrator", interval)]
    assert answers == [1, 2, 3]
    assert fired("integrator", [(20, 0)]) == []


def test_rebound_spike():
    for start in (20, 33):
        assert fired("rebound spike", [(start, 0)]) == [start + 1]
    assert fired("rebound spike", [(20, 0), (60, 0)]) == [21, 61]


def test_rebound_burst():
    ticks = fired("rebound burst")
    assert len(ticks) == 4
    assert set(np.diff(ticks)) == {5}
    assert ticks[0] > span("rebound burst")[1]


def test_threshold_variability():
    assert fired("threshold variability", [(20, 0)]) == []
    assert fired("threshold variability", [(20, 1)]) == []
    after = [d for d in range(1, 20) if fired("threshold variability", [(20, 1), (20 + d, 0)])]
    assert after == [d for d in range(1, 20) if 5 - (d - 1) + 8 - 1 >= 10]
    before = [d for d in range(1, 20) if fired("threshold variability", [(20, 0), (20 + d, 1)])]
    assert before == []


def test_bistability():
    on = [(20, 0)]
    assert len(fired("bistability", [*on, (900, 1)])) >= 75
    ticks = fired("bistability")
    assert set(np.diff(ticks)) == {11}
    assert ticks[0] > 20 and ticks[-1] < 140
    twice = fired("bistability", [*on, (140, 1), (300, 0), (350, 1)])
    assert next(tick for tick in twice if tick > 140) > 300


def test_depolarising_after_potential():
    trace = simulate_behaviour("depolarising after-potential", inputs=[(20, 0), (60, 0)]).trace
    assert trace.ticks[trace.spikes[:, 0]].tolist() == [20, 60]
    assert trace.potentials[20:29, 0].tolist() == list(range(8, -1, -1))
    name = "depolarising after-potential"
    assert fired(name, [(20, 1)]) == []
    window = [d for d in range(1, 20) if len(fired(name, [(20, 0), (20 + d, 1)])) == 2]
    assert window == [d for d in range(1, 20) if 8 - (d - 1) + 15 - 1 >= 19]


def test_accommodation():
    inputs = BEHAVIOURS["accommodation"].inputs
    slow, fast = ([row for row in inputs if (row[0] > 200) == late] for late in (False, True))
    assert fired("accommodation", slow) == []
    assert len(fired("accommodation", fast)) == 1
    assert {1} == set(np.diff([tick for tick, _ in slow])[-20:])  # both end with one in every tick
    assert len(slow) > len(fast)


def test_inhibition_induced_spiking():
    start, stop = span("inhibition-induced spiking")
    ticks = fired("inhibition-induced spiking")
    assert len(ticks) >= 10 and len(set(np.diff(ticks))) == 1
    assert start < ticks[0] and ticks[-1] <= stop
    drive = simulate_behaviour("inhibition-induced spiking").drive
    assert drive.max() == 0 > drive.min()


def test_inhibition_induced_bursting():
    start, stop = span("inhibition-induced bursting")
    groups = bursts(fired("inhibition-induced bursting"), 10)
    assert [len(group) for group in groups] == [4] * 5
    assert start < groups[0][0] and groups[-1][0] <= stop
    assert simulate_behaviour("inhibition-induced bursting").drive.max() == 0


def test_unknown_behaviour():
    with pytest.raises(ParameterError, match="did you mean 'integrator'"):
        simulate_behaviour("integrater")


def test_gallery_figure_and_table():
    results = simulate_gallery()
    figure = plt.figure(figsize=(7, 8))
    plots.plot_gallery(results, figure)
    titles = [ax.get_title("left") or ax.get_title() for ax in figure.axes]
    assert titles == list(BEHAVIOURS)
    bars = [ax.collections[0] for ax in figure.axes]
    for result, spikes in zip(results, bars, strict=True):
        assert len(spikes.get_segments()) == result.trace.spikes[:, 0].sum()
    plt.close(figure)
    table = gallery_table(results)
    assert len(table) == sum(result.trace.potentials.size for result in results)
    resonator = table[(table.behaviour == "resonator") & (table.neuron == 0)]
    assert resonator.tick[resonator.spike == 1].tolist() == fired("resonator")
    assert set(resonator.input) == {0, 6}
