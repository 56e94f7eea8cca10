"""The power model gives back what was published, and energies add up."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from swta.truenorth import map_motif, measure_speed, plots
from swta.truenorth.energy import Processor, fit_power_model, measure_energy
from swta.truenorth.mapping import MotifRequest
from swta.validation import ParameterError

FULL = 4096 * 256 * 128  # events of one spike of every neuron


def test_the_published_points():
    model = fit_power_model()
    assert model.static == pytest.approx(64.4e-3, abs=0.05e-3)
    assert model.per_event == pytest.approx(2.30e-12, abs=0.005e-12)
    for rate, power in ((11.58, 68e-3), (95.93, 94e-3)):
        assert model.power(4096, rate * FULL).value == pytest.approx(power)
    middle = model.power(4096, 20.07 * FULL)
    assert middle.value == pytest.approx(70.6e-3, abs=0.05e-3)
    assert middle.value == pytest.approx(71e-3, rel=0.01)
    assert middle.low < 71e-3 < middle.high


def test_uncertainty_by_drawing_the_readings():
    """Lines through readings drawn within their last digit spread as the formula says."""
    rng = np.random.default_rng(0)
    model = fit_power_model()
    first, second = model.readings
    low, high = (p + rng.uniform(-0.5e-3, 0.5e-3, 100_000) for p in (68e-3, 94e-3))
    for events in (0.0, first, 40 * FULL, second, 200 * FULL):
        powers = low + (high - low) * (events - first) / (second - first)
        power = model.power(4096, events)
        sd = np.hypot(powers.std(), model.misfit)
        assert power.high - power.value == pytest.approx(1.96 * sd, rel=0.02)
        assert power.value - power.low == pytest.approx(power.high - power.value)


def test_power_is_that_of_the_cores_in_use():
    model = fit_power_model()
    whole, one = model.power(4096, 4096e6), model.power(1, 1e6)
    assert one.value == pytest.approx(whole.value / 4096)
    assert one.high == pytest.approx(whole.high / 4096)
    assert model.power(1, 0).value == pytest.approx(model.static / 4096)


def test_energy_of_a_run():
    """Numbers worked by hand: one core, 10 s of the chip's time, 1e6 events a second."""
    result = measure_energy(
        n_cores=1,
        n_ticks=10_000,
        synaptic_events=10_000_000,
        wall_time=0.5,
        threads=2,
        processor=Processor("any", 100.0, 10, "by hand"),
    )
    model = fit_power_model()
    power = model.static / 4096 + model.per_event * 1e6
    assert result.chip_power.value == pytest.approx(power)
    assert result.chip.value == pytest.approx(10 * power)
    assert result.chip_per_event.value == pytest.approx(10 * power / 1e7)
    assert result.processor.value == pytest.approx(0.5 * 20)
    assert (result.processor.low, result.processor.high) == pytest.approx((5.0, 50.0))
    assert result.processor_per_event.value == pytest.approx(1e-6)
    ratio = result.ratio
    assert ratio.value == pytest.approx(10 / (10 * power))
    assert ratio.low == pytest.approx(5 / result.chip.high)
    assert ratio.high == pytest.approx(50 / result.chip.low)
    assert ratio.low < ratio.value < ratio.high


def test_energy_of_the_motif_on_its_core():
    """By hand: one core of 4096, and one of the rated processor's cores."""
    speed = measure_speed(map_motif(MotifRequest()), (0.2, 0.15, 0.1), n_ticks=2000, seed=0)
    result = measure_energy(
        n_cores=speed.n_cores,
        n_ticks=speed.n_ticks,
        synaptic_events=speed.synaptic_events,
        wall_time=speed.wall_time,
        threads=speed.threads,
    )
    model = fit_power_model()
    seconds, events = speed.n_ticks / 1000, speed.synaptic_events
    chip = model.static / 4096 * seconds + model.per_event * events
    assert result.chip.value == pytest.approx(chip)
    assert result.processor.value == pytest.approx(3.75 * speed.wall_time)  # 360 W over 96 cores
    assert result.ratio.value == pytest.approx(result.processor.value / chip)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_cores": 0}, "n_cores = 0"),
        ({"n_cores": 4097}, "n_cores = 4097"),
        ({"n_ticks": 0}, "n_ticks = 0"),
        ({"synaptic_events": 0}, "synaptic_events = 0"),
        ({"wall_time": 0.0}, r"wall_time = 0 is out of range; allowed: \(0, inf\) s"),
        ({"threads": 97}, "threads = 97 is out of range; allowed: 1 … 96"),
    ],
)
def test_bad_run(changes, message):
    given = {"n_cores": 1, "n_ticks": 10, "synaptic_events": 10, "wall_time": 1.0}
    with pytest.raises(ParameterError, match=message):
        measure_energy(**(given | changes))


def test_figure():
    result = measure_energy(n_cores=1, n_ticks=1000, synaptic_events=10**6, wall_time=0.1)
    figure, ax = plt.subplots()
    plots.plot_energy(result, ax)
    drawn = [line.get_xdata()[0] for line in ax.get_lines() if len(line.get_xdata()) == 1]
    assert result.chip_per_event.value in drawn and result.processor_per_event.value in drawn
    plt.close(figure)
