from __future__ import annotations

import numpy as np
import pytest

from swta.circuit.bistability import (
    DwellResult,
    LoopResult,
    Staircase,
    measure_dwell,
    measure_half_widths,
    measure_loop_areas,
    measure_memory,
    measure_relative_areas,
)
from swta.circuit.lesions import ROLES, VariantResult, measure_roles
from swta.circuit.network import Network, mixed_profile, tuned_drive
from swta.circuit.spiking import SpikingResult
from swta.circuit.spiking_experiments import (
    ModulationCurves,
    Noise,
    ProfileResult,
    PulseResult,
    RestoredResult,
    TransferResult,
    Trials,
)
from swta.circuit.spiking_measures import (
    measure_modulation,
    measure_peak_noise,
    measure_peak_steepness,
    measure_profile_correlation,
    measure_rank_kept,
    measure_recovery,
    measure_rival_fraction,
    measure_shape_gain,
    measure_snr_gain,
    measure_vector_error,
    measure_winner_amplification,
)
from swta.circuit.spiking_plots import plot_loop, plot_variants
from swta.circuit.spiking_tables import tabulate_loops, tabulate_variants
from swta.validation import ParameterError


def _loop(half_width: float, rate: float = 10.0) -> LoopResult:
    """Two hard-switching units that hold out to ±half_width, and a control without a loop."""
    d = np.linspace(-1, 1, 401)
    up = np.stack([np.where(d > half_width, rate, 0), np.where(d > half_width, 0, rate)], -1)
    down = np.stack([np.where(d > -half_width, rate, 0), np.where(d > -half_width, 0, rate)], -1)
    middle = np.stack([np.where(d > 0, rate, 0), np.where(d > 0, 0, rate)], -1)
    shape = (len(d), 1, 1, 2)
    loop = np.concatenate([up.reshape(shape), middle.reshape(shape)], axis=1)
    back = np.concatenate([down.reshape(shape), middle.reshape(shape)], axis=1)
    return LoopResult(d, loop, back, ("bistable", "soft"))


@pytest.mark.parametrize("half_width", [0.2, 0.5])
def test_loop_area_of_a_rectangle(half_width):
    result = _loop(half_width)
    # The loop is 2 half_width wide and 2 rate high; over the width 2 of the sweep.
    np.testing.assert_allclose(measure_loop_areas(result)[:, 0], [20 * half_width, 0], atol=0.1)
    np.testing.assert_allclose(measure_relative_areas(result)[:, 0], [4 * half_width, 0], atol=0.02)


def test_table_of_a_loop_holds_both_branches():
    result = _loop(0.3)
    table = tabulate_loops(result).query("condition == 'bistable' and unit == 0")
    for name, rates in (("rising", result.up), ("falling", result.down)):
        branch = table[table["branch"] == name].set_index("difference")["rate_hz"]
        np.testing.assert_allclose(branch.to_numpy(), rates[:, 0, 0, 0])


def test_loop_area_has_a_sign():
    result = _loop(0.3)
    turned = LoopResult(result.differences, result.down, result.up, result.labels)
    np.testing.assert_allclose(measure_loop_areas(turned), -measure_loop_areas(result))


def test_half_width_of_loops():
    np.testing.assert_allclose(measure_half_widths(_loop(0.3))[:, 0], [0.3, 0.0], atol=0.01)
    held = _loop(2.0)  # never switches within the sweep
    np.testing.assert_allclose(measure_half_widths(held)[0], 1.0)


def test_staircase_course():
    course = Staircase(widest=0.8, levels=5, hold_s=0.2).course(4, 2.0, 0.5)
    assert course.shape == (50 + 10 * 20, 4)
    np.testing.assert_allclose(course[:, :2].sum(1), 4.0)
    np.testing.assert_allclose(course[:, 2:], 0.0)
    lead = (course[:, 0] - course[:, 1]) / 2.0
    np.testing.assert_allclose(lead[50:], lead[50:][::-1])
    assert lead[0] == pytest.approx(-0.8) and lead.max() == pytest.approx(0.8)


def _dwell(switch_s: float) -> DwellResult:
    time = (np.arange(300) + 0.5) / 100
    first = np.where(time < switch_s, 9.0, 1.0)
    courses = np.zeros((300, 1, 2, 1, 2))
    courses[:, 0, 0, 0, 0], courses[:, 0, 0, 0, 1] = first, 10 - first
    courses[:, 0, 1, 0, 1], courses[:, 0, 1, 0, 0] = 9.0, 1.0
    return DwellResult(time, courses, ("x",))


def test_dwell_time_is_that_of_the_switch():
    assert measure_dwell(_dwell(1.2), smooth_s=0.01)[0, 0, 0] == pytest.approx(1.2, abs=0.011)
    # Smoothing over 0.2 s sees the switch when half of the window lies behind it.
    assert measure_dwell(_dwell(1.2))[0, 0, 0] == pytest.approx(1.1, abs=0.02)
    assert measure_dwell(_dwell(9.0))[0, :, 0].tolist() == pytest.approx([3.0, 3.0])


def test_memory_index():
    assert measure_memory(_dwell(9.0))[0, 0] == pytest.approx(0.8)
    assert measure_memory(_dwell(1.2))[0, 0] == pytest.approx(0.0)


def test_gain_and_fraction():
    def rates(*units):
        return np.tile(np.array(units, dtype=float), (1, 3, 1))

    result = TransferResult(
        np.array([0.8]), rates(6, 2), rates(0, 4), rates(3, 2), rates(0, 3), rates(7, 0)[0], 2
    )
    assert measure_winner_amplification(result)[0] == pytest.approx(2.0)
    assert measure_rival_fraction(result)[0] == pytest.approx(0.5)


def test_rank_kept():
    drives = np.array([[3.0, 2.0, 1.0], [2.0, 2.0, 1.0]])
    rates = np.array([[[9.0, 4.0, 1.0], [4.0, 9.0, 1.0]], [[5.0, 6.0, 1.0], [5.0, 6.0, 5.5]]])
    result = ProfileResult(drives, rates, rates)
    np.testing.assert_allclose(measure_rank_kept(result), [[1, 2 / 3], [1, 0.5]])


def test_modulation_separates_scaling_from_shift():
    base = np.array([1.0, 3.0, 6.0, 8.0])
    rates = np.zeros((2, 2, 4, 1, 1))
    rates[:, 0, :, 0, 0] = base
    rates[0, 1, :, 0, 0], rates[1, 1, :, 0, 0] = 0.5 * base, base - 0.7
    curves = ModulationCurves(("Sst", "Pvalb"), np.array([0.0, 1.0]), np.arange(4.0), rates)
    slope, offset = measure_modulation(curves)
    np.testing.assert_allclose(slope[:, 1, 0], [0.5, 1.0])
    np.testing.assert_allclose(offset[:, 1, 0], [0.0, -0.7], atol=1e-12)


def test_restoration_ignores_scale_and_offset_and_sees_noise():
    rng = np.random.default_rng(0)
    clean = np.array([2.0, 1.0, 1.0, 1.0])
    inputs = clean + 0.3 * rng.standard_normal((1, 50, 4))
    result = RestoredResult(clean, inputs, 5 * inputs + 2, clean + (inputs - clean) / 2)
    same, cleaner = measure_snr_gain(result)
    assert same[0] == pytest.approx(1.0)
    assert cleaner[0] == pytest.approx(4.0, rel=0.05)
    before, after = measure_profile_correlation(result)
    assert after[0] == pytest.approx(before[0]) and 0.7 < after[0] < 1


def test_a_power_of_the_drive_is_as_steep_and_takes_over_the_noise():
    clean = np.array([2.0, 1.0, 1.0])
    inputs = clean + 0.02 * np.random.default_rng(4).standard_normal((2, 40, 3))
    outputs = np.array([1, 5])[:, None, None] * inputs**3
    result = RestoredResult(clean, inputs, outputs, inputs)
    steep, straight = measure_peak_steepness(result)
    np.testing.assert_allclose(steep, 3, rtol=0.01)
    np.testing.assert_allclose(straight, 1)
    before, after = measure_peak_noise(result)
    drawn = inputs.var(1, ddof=1).T
    assert before == pytest.approx(drawn[0] / drawn.sum(0))
    # Slopes are 3 x², so noise grows as the square of that: 16 times as much at the peak.
    expected = 16 * drawn[0] / (15 * drawn[0] + drawn.sum(0))
    np.testing.assert_allclose(after, expected, rtol=0.02)


def test_noise_is_frozen_and_not_below_zero():
    noise = Noise(ground=0.1, noise=0.5, patterns=50)
    drawn = noise.draw(4, 2.0, 7)
    assert drawn.shape == (50, 4) and drawn.min() == 0
    np.testing.assert_array_equal(drawn, noise.draw(4, 2.0, 7))
    np.testing.assert_allclose(noise.draw(4, 4.0, 7), 2 * drawn)
    assert not np.allclose(drawn, noise.draw(4, 2.0, 8))
    many = Noise(patterns=4000).draw(4, 2.0, 7)
    np.testing.assert_allclose(many.mean(0), 2 * mixed_profile(4), atol=0.03)
    assert mixed_profile(4).tolist() == [1, 0.5, 0.5, 0.5]


def test_shape_gain_does_not_see_how_large_a_pattern_is():
    rng = np.random.default_rng(1)
    clean = np.array([2.0, 1.0, 1.0, 1.0])
    inputs = clean + 0.3 * rng.standard_normal((1, 400, 4))
    sizes = rng.uniform(0.5, 2.0, (400, 1))
    result = RestoredResult(clean, inputs, sizes * inputs + 3, clean + (inputs - clean) / 2)
    scaled, cleaner = measure_shape_gain(result)
    assert scaled[0] == pytest.approx(1.0, rel=0.1)
    assert measure_snr_gain(result)[0][0] < 0.6, "which the other ratio counts as noise"
    assert 3.0 < cleaner[0] < 4.0, "four times less noise power; of the signal, its noise part less"


def test_population_vector_error():
    clean = np.array([2.0, 1.0, 1.0, 1.0])
    inputs = np.array([[[1.0, 1.0, 0.0, 0.0], [1.0, 0.0, 0.0, 1.0]]])
    outputs = np.array([[[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]]])
    before, after = measure_vector_error(RestoredResult(clean, inputs, outputs, outputs))
    assert before[0] == pytest.approx(45.0)
    assert after[0] == pytest.approx(90.0)


def test_recovery():
    time = np.arange(0, 2, 0.01)
    courses = np.zeros((len(time), 2, 1, 2))
    courses[:, 0, :, 0], courses[:, 0, :, 1] = 6.0, 2.0
    courses[:, 1, :, 0], courses[:, 1, :, 1] = 5.0, 4.0
    assert measure_recovery(PulseResult(time, 0.5, 0.7, courses))[0] == pytest.approx(0.25)


def _steady(counts_per_bin: list[int]) -> SpikingResult:
    counts = np.tile(np.array(counts_per_bin, dtype=np.int32), (100, 1, 2, 1))
    names = ("Pyr 0", "Pyr 1", "Pvalb", "Sst", "Vip", "Lamp5")
    cv = np.full((1, 2, 60), 0.7)
    return SpikingResult(names, np.full(6, 10), 10.0, counts, cv, {})


def test_windows_of_a_result():
    result = _steady([1, 2, 0, 0, 0, 0])
    assert result.mean_rates_hz(0.2, 0.4)[0, 0].tolist() == [10, 20, 0, 0, 0, 0]
    with pytest.raises(ParameterError, match="no bin between 2 and inf s"):
        result.mean_rates_hz(2.0)


def test_tables_and_figures_hold_the_values():
    values = np.random.default_rng(0).random((2, 3, 4))
    result = VariantResult(("intact", "PV 0 %"), ("a", "b", "c"), values, np.zeros((2, 4, 1)))
    table = tabulate_variants(result)
    assert len(table) == values.size
    assert table.query("variant == 'PV 0 %' and function == 'b' and network == 2")[
        "value"
    ].item() == pytest.approx(values[1, 1, 2])
    ax = plot_variants(result)
    assert sorted(t.get_text() for t in ax.texts) == sorted(
        f"{v:.2f}" for v in values.mean(-1).ravel()
    )
    loop = plot_loop(_loop(0.3), "bistable")
    assert loop.get_xlabel() and loop.get_ylabel() == "rate difference (Hz)"


def test_tuned_drive_is_symmetric_on_the_ring():
    drive = tuned_drive(Network(n_units=8), 2.0)
    assert drive[0] == 2.0
    np.testing.assert_allclose(drive[1:], drive[1:][::-1])
    assert (np.diff(drive[:5]) < 0).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Trials(seeds=0), "seeds = 0"),
        (lambda: Trials(drive_khz=-1.0), "drive_khz = -1"),
        (lambda: Staircase(levels=2), "levels = 2"),
        (lambda: Staircase(widest=3.0), "widest = 3"),
        (lambda: Staircase(hold_s=0.125), "hold_s = 0.125 s is no multiple of 10 ms"),
        (lambda: Noise(ground=1.0), "ground = 1"),
        (lambda: Noise(patterns=1), "patterns = 1"),
    ],
)
def test_impossible_protocols(make, message):
    with pytest.raises(ParameterError, match=message):
        make()


def test_roles_are_judged_in_their_direction():
    names = ("intact", "PV 0 %", "SST 0 %", "VIP 0 %", "LAMP5 0 %")
    functions = tuple(function for function, _ in ROLES.values())
    values = np.ones((5, 4, 3))
    values[1, 0], values[3, 2], values[4, 3] = 1.5, 0.8, 0.9
    changes = measure_roles(VariantResult(names, functions, values, np.zeros((5, 3, 1))))
    assert [changes[n][0] for n in ("Pvalb", "Sst", "Vip", "Lamp5")] == pytest.approx(
        [0.5, 0.0, 0.2, -0.1]
    )
    with pytest.raises(ParameterError, match="no variant 'PV 0 %' among intact"):
        measure_roles(VariantResult(("intact",), functions, values[:1], np.zeros((1, 3, 1))))
