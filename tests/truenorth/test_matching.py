"""Gain matching to a measured network, its correction, and the roles of its primitives."""

from dataclasses import fields, replace

import matplotlib.pyplot as plt
import numpy as np
import pytest

from swta.circuit.lesions import VariantResult
from swta.circuit.network import Network
from swta.circuit.reduction import EffectiveMotif, OpenLoopResult
from swta.circuit.spiking_experiments import ModulationCurves, Noise, Trials
from swta.truenorth import PRIMITIVES, match_plots, measure_agreement
from swta.truenorth.matched_runs import simulate_matched
from swta.truenorth.matchfit import calibrate_match, simulate_target, simulate_unseen
from swta.truenorth.matching import (
    SHALLOW,
    Fill,
    Gains,
    Layout,
    find_fill,
    match_gains,
    without_primitive,
)
from swta.truenorth.measures import agreement_intervals
from swta.truenorth.roles import (
    CHIP_FUNCTIONS,
    correlate_roles,
    lesion_vectors,
    match_lamp5,
    match_vip,
    measure_lesion_errors,
    simulate_driven,
    simulate_roles,
    vip_drive,
)
from swta.truenorth.target import (
    NetworkRates,
    Target,
    measure_contests,
    measure_network,
    measure_pool_threshold,
    open_loop_target,
    pair_grid,
)
from swta.truenorth.workload import measure_cost
from swta.validation import ParameterError

GAINS = Gains(
    1.4, -0.6, 0.6, 0.7, 0.1, pv_loop=0.1, spread_hz=0.8, pool_hz=0.2, vip_hz=0.5, depth=4.0
)
PAIRS = pair_grid([0.5, 1.5, 2.4], [0.4, 1.6])


def test_gains_survive_whole_numbers():
    mapped = match_gains(GAINS)
    for field in fields(Gains):
        wanted, found = getattr(GAINS, field.name), getattr(mapped.realised, field.name)
        grid = 0.04 if field.name in ("pool_hz", "vip_hz") else 0.02  # its leak is one whole number
        assert found == pytest.approx(wanted, rel=0.03, abs=grid), field.name
    assert mapped.placement.n_cores == 1
    assert mapped.placement.axons_used[0] <= 256
    assert len(mapped.leaks) == 24 and len(set(mapped.leaks)) > 4


@pytest.mark.parametrize("total", [0.0, 3.7, 187.8, 5000.0])
def test_a_fill_adds_what_is_asked(total):
    fill = find_fill("alpha", total, 24, 20)
    assert fill.total == pytest.approx(total, abs=0.5 * max(fill.weight, 1) / 20)
    bits = fill.crossbar
    assert bits.shape == (24, 20) and bits.sum() == fill.bits
    heard, spread = bits.sum(0), bits.sum(1)
    assert np.ptp(heard) <= 1
    assert not fill.bits or spread.min() > 0
    assert fill.removed().total == 0


def test_a_motif_from_measured_constants():
    measured = EffectiveMotif(1.4, 0.2, 0.3, -0.1, 0.05, 1.9, 0.1)
    gains = Gains.from_motif(measured)
    assert (gains.rival_hz_per_khz, gains.alpha) == (0.0, 0.0)
    assert gains.depth == SHALLOW
    assert gains.loop == gains.pv_loop == 0.025


def test_a_layout_scales_rates_to_ticks():
    layout = Layout.for_network(3, 40.0)
    assert layout.n_units == 3 and 40.0 * layout.rate_scale == pytest.approx(0.5)
    faster = replace(
        GAINS, gain_hz_per_khz=30.0, rival_hz_per_khz=-12.0, threshold_hz=12.0, spread_hz=15.0
    )
    mapped = match_gains(faster, Layout.for_network(4, 180.0))
    assert mapped.realised.gain_hz_per_khz == pytest.approx(30.0, rel=0.02)
    assert mapped.line_rates([2.6]) < 1


def test_rates_follow_gains():
    """Without spread and at a deep negative threshold it is the threshold-linear motif."""
    gains = replace(GAINS, spread_hz=0.0, pool_hz=0.0, alpha=0.5, loop=0.2, pv_loop=0.1, depth=15.0)
    mapped = match_gains(gains)
    rates = simulate_matched([mapped] * 2, [(2.0, 0.0), (2.0, 1.9)], n_ticks=8000, seed=0)
    lone = (1.4 * 2 - 0.6) / (1 + 0.3 - 0.5)
    assert rates[0, 0] == pytest.approx(lone, rel=0.05)
    inputs = np.array([1.4 * 2 - 0.6 * 1.9, 1.4 * 1.9 - 0.6 * 2]) - 0.6
    both = np.linalg.solve([[0.8, 0.3], [0.3, 0.8]], inputs)
    np.testing.assert_allclose(rates[1, :2], both, rtol=0.12)
    assert (rates[:, 2:] < 0.2).all()


def test_each_primitive_goes_alone():
    mapped = match_gains(GAINS)
    no_pv = without_primitive(mapped, "Pvalb").realised
    assert no_pv.rival_hz_per_khz == no_pv.pv_loop == 0 < no_pv.loop
    no_sst = without_primitive(mapped, "Sst").realised
    assert no_sst.loop == 0 < no_sst.pv_loop
    no_vip = without_primitive(mapped, "Vip").realised
    assert no_vip.pool_hz == pytest.approx(mapped.realised.pool_hz - mapped.realised.vip_hz)
    assert no_vip.vip_hz == 0 < mapped.realised.vip_hz
    softer = without_primitive(mapped, "Lamp5", gain=0.8).realised
    assert softer.alpha == pytest.approx(mapped.realised.alpha / 0.8)
    assert mapped.without_recurrence().realised.alpha == 0


def test_vip_delays_sst():
    mapped = match_gains(GAINS)
    later = mapped.with_vip(2.0)
    assert later.realised.pool_hz == pytest.approx(mapped.realised.pool_hz + 2, abs=0.04)
    assert later.realised.vip_hz == pytest.approx(mapped.realised.vip_hz + 2, abs=0.04)
    most = mapped.with_vip(1e4)
    assert most.inhibitory_leak == -255
    assert without_primitive(most, "Vip") == without_primitive(mapped, "Vip")


def test_a_shallow_negative_threshold_leaves_the_loser_more():
    """Same slopes and thresholds: only how much inhibition is kept differs."""
    motifs = [match_gains(replace(GAINS, depth=depth)) for depth in (1.0, 4.0)]
    target = Target(np.array([(2.0, 1.6), (0.0, 1.6)]), np.zeros((2, 2)), ("", ""))
    rates = simulate_target(motifs, target, n_ticks=4000, seed=0)
    soft, hard = rates[:, 0, 1] / rates[:, 1, 1]
    assert soft > 1.15 * hard


def test_a_correction_starts_and_stays_within_what_a_leak_can_hold():
    drives = np.array([(0.5, 0), (1.0, 0), (1.0, 0.5)])
    target = Target(drives, 0.2 * drives, ("",) * 3)
    layout = Layout.for_network(4, 2.0)
    start = replace(GAINS, pool_hz=-80.0, vip_hz=90.0)
    with pytest.raises(ParameterError, match="leak for pool_hz"):
        match_gains(start, layout)
    result = calibrate_match(start, target, layout, rounds=2, n_ticks=300)
    assert result.rounds[0].mapped.inhibitory_leak == 255
    assert result.rounds[0].gains.pool_hz == pytest.approx(-255 / layout.leaks_per_hz)
    assert result.rounds[1].mapped.vip_leak == -255, "which no correction moves"


def test_correction_finds_the_gains_of_another_chip():
    """Rates of one motif are the target of another that starts elsewhere."""
    cuts = ("",) * 6 + ("recurrence",) * 2 + ("Sst",) * 2 + ("Pvalb",) * 2
    drives = np.concatenate([PAIRS, [(1.0, 0), (2.0, 0)] * 3])
    blank = Target(drives, np.zeros_like(drives), cuts)
    rates = simulate_target([match_gains(GAINS)], blank, n_ticks=1500, seed=7)[0]
    start = replace(GAINS, gain_hz_per_khz=1.2, threshold_hz=0.3, alpha=0.66, spread_hz=0.2)
    result = calibrate_match(start, replace(blank, rates_hz=rates), rounds=4, n_ticks=1500)
    assert len(result.rounds) == 4
    assert result.best.rmse < 0.6 * result.rounds[0].rmse
    assert result.best.gains.vip_hz == GAINS.vip_hz
    unseen = Target(np.array([(2.2, 1.1), (1.1, 2.2)]), np.zeros((2, 2)), ("", ""))
    both = [match_gains(GAINS), result.best.mapped]
    wanted, found = simulate_target(both, unseen, n_ticks=1500, seed=8)
    assert measure_agreement(found, wanted).rmse < 0.08
    compete = Target(
        np.array([(2, 1.6), (2, 1.6), (0, 1.6)]), np.zeros((3, 2)), ("", "recurrence", "")
    )
    judged = NetworkRates(blank, unseen, np.zeros((2, 1, 2)), compete, np.zeros((1, 3, 2)))
    tested = simulate_unseen(result, judged, n_ticks=1500, seeds=2, seed=8)
    assert tested.contests_hz.shape == (2, 3, 2)
    errors = [np.abs(each - wanted).mean() for each in (tested.before_hz, tested.after_hz)]
    assert errors[1] < errors[0]
    gain, loser = measure_contests(tested.contests_hz)
    assert gain.value > 1.2 and loser.value < 0.8


def test_targets_join_and_part():
    target = open_loop_target(
        OpenLoopResult(
            np.array([1.0, 2.0, 3.0]), 1, *(np.full((3, 2, 8), k) for k in (4.0, 2.0, 1.0, 1.0)),
            held_khz={}, n_units=4,
        )
    )  # fmt: skip
    assert target.cuts == ("",) * 3 + ("recurrence",) * 3
    assert target.rates_hz[0, 0] == 4 and target.rates_hz[-1, 1] == 2
    twice = target + target.part(4)
    assert twice.cuts[-2:] == ("recurrence",) * 2 and len(twice.drives_khz) == 8


def test_the_threshold_of_a_pool():
    closed = np.zeros((2, 3, 8))
    closed[:, :, 0] = [[4.0], [8.0]]
    closed[:, :, 5] = 1.5 * (closed[:, :, 0] + 2.0)
    rest = {"opened": closed, "rival": closed, "held_khz": {}, "n_units": 4}
    drives = np.array([1.0, 2.0])
    tonic = OpenLoopResult(drives, 1, closed, closed, **rest)
    assert measure_pool_threshold(tonic) == pytest.approx(-2.0)
    closed[:, :, 5] = 0.01 * closed[:, :, 0] + 3.0
    assert measure_pool_threshold(tonic) == -8, "not the -300 Hz that the line would give"
    closed[:, :, 5] = 3.0
    assert measure_pool_threshold(tonic) == 0


def test_rates_of_a_small_network():
    trials = Trials(settle_s=0.1, measure_s=0.1, seeds=2)
    rates = measure_network(Network(n_cells=60), trials, highest_khz=2.6, ratio=0.8, repeats=2)
    assert len(rates.unseen.cuts) == 54 and rates.by_network.shape == (54, 2, 2)
    np.testing.assert_allclose(rates.by_network.mean(1), rates.unseen.rates_hz)
    assert rates.seen.cuts.count("Sst") == rates.seen.cuts.count("Pvalb") == 4
    assert rates.seen.cuts.count("recurrence") == 6
    seen = {tuple(row) for row in rates.seen.drives_khz}
    assert not seen & {tuple(row) for row in rates.unseen.drives_khz}
    assert rates.competition.drives_khz.tolist() == [[2.0, 1.6], [2.0, 1.6], [0.0, 1.6]]
    assert rates.seen.sizes_hz.shape == (26, 2)
    np.testing.assert_allclose(rates.contests_hz.mean(0), rates.competition.rates_hz)


def test_contests_are_divided_after_averaging():
    example = np.array([[4.0, 1.0], [2.0, 1.5], [0.1, 5.0]])
    gain, loser = measure_contests(np.stack([example, 3 * example]))
    assert (gain.value, loser.value, gain.n) == (2.0, 0.2, 2)
    assert gain.low == gain.high == 2.0
    rng = np.random.default_rng(0)
    runs = rng.poisson(100 * example, (400, 3, 2)) / 100
    gain, loser = measure_contests(runs)
    # Of a ratio of Poisson counts: relative variance is the sum of 1 / count.
    half = 1.96 * 2.0 * np.sqrt((1 / 400 + 1 / 200) / 400)
    assert gain.high - gain.value == pytest.approx(half, rel=0.15)
    assert gain.low < 2.0 < gain.high and loser.low < 0.2 < loser.high
    with pytest.raises(ParameterError, match="runs = 1"):
        measure_contests(example[None])


def test_intervals_of_agreement():
    rng = np.random.default_rng(0)
    wanted = rng.uniform(0, 10, (40, 2))
    found = wanted + 0.3 * rng.standard_normal(wanted.shape)
    r2, rmse = agreement_intervals(found, wanted)
    assert r2.low < r2.value < r2.high < 1 and r2.n == 40
    assert rmse.low < 0.03 < rmse.high


def made_up_lesions(values):
    names = ("intact", *(f"{label} 0 %" for label in ("PV", "SST", "VIP", "LAMP5")))
    return VariantResult(names, (*CHIP_FUNCTIONS, "memory"), values, np.zeros((5, 2, 8)))


def test_roles_on_the_chip():
    mapped = match_gains(GAINS)
    result = simulate_roles(
        mapped, drive_khz=2.0, ratio=0.8, gain=0.9, noise=Noise(patterns=2), n_ticks=800,
        seeds=2, seed=0,
    )  # fmt: skip
    assert result.values.shape == (5, len(CHIP_FUNCTIONS), 2)
    vectors = lesion_vectors(result)
    evoked, slope = (CHIP_FUNCTIONS.index(name) for name in ("evoked rate", "slope"))
    assert (vectors[[0, 1, 3], evoked] > 0).all()  # PV, SST and LAMP5 hold the rate down
    assert vectors[2, evoked] < 0 < vectors[3, slope]
    disinhibited = result.values[:, CHIP_FUNCTIONS.index("disinhibition")].mean(1)
    assert disinhibited[0] > 1.02 and disinhibited[2] == pytest.approx(1, abs=0.05)
    copied = np.concatenate([result.values, np.ones((5, 1, 2))], axis=1)
    found = correlate_roles(result, made_up_lesions(copied))
    assert found.r == pytest.approx(1) and found.scaled_r == pytest.approx(1)
    assert found.n == 4 * (len(CHIP_FUNCTIONS) - 1)
    np.testing.assert_allclose(found.by_class, 1)
    assert found.chip_reliability == pytest.approx(found.reliability) and found.reliability > 0.9
    assert found.resolved[0] >= 4 and (found.resolved <= len(CHIP_FUNCTIONS) - 1).all()
    assert found.shown == (found.resolved >= 3).sum() >= 1
    assert (
        replace(
            found, by_class=np.array([0.95, 0.95, 0.5, 0.95]), resolved=np.array([7, 2, 5, 3])
        ).shown
        == 2
    )
    assert match_lamp5(made_up_lesions(copied), 0.7, 0.1) == pytest.approx(
        0.4 / np.exp(vectors[3, slope]) + 0.6
    )
    lesioned = made_up_lesions(copied)
    assert match_vip(lesioned, 0.0) == 0  # silent SST cells
    # SST at 1.5 (E + 2) for E = 4 in two units, without VIP cells at 1.5 (E + 2.4) for E = 3.5
    lesioned.loads[0, :, [0, 1, 5]] = np.array([[3.0], [1.0], [1.5 * 6]])
    lesioned.loads[3, :, [0, 1, 5]] = np.array([[2.5], [1.0], [1.5 * 5.9]])
    assert match_vip(lesioned, -2.0) == pytest.approx(0.4)
    assert vip_drive() == pytest.approx(np.sqrt(75) / np.sqrt(5))
    runaway = copied.copy()
    runaway[1:] = np.nan
    with pytest.raises(ParameterError, match="0 functions are finite"):
        correlate_roles(result, made_up_lesions(runaway))
    with pytest.raises(ParameterError, match="no variant without Pvalb"):
        lesion_vectors(replace(result, variants=("intact", "a", "b", "c", "d")))


def test_driven_classes_on_the_chip():
    """Where the network is the chip itself, the sizes of both changes are found again."""
    mapped, drives = match_gains(GAINS), np.array([1.2, 2.0])
    stronger = (mapped.with_vip(1.5), without_primitive(mapped, "Lamp5", gain=1.2))
    pairs = np.stack([drives, np.zeros(2)], axis=1)
    rates = np.zeros((2, 2, 2, 2, 8))
    for row, changed in enumerate(stronger):
        for level, motif in enumerate((mapped, changed)):
            found = simulate_matched([motif] * 2, pairs, n_ticks=6000, seed=9)
            rates[row, level, :, :, :4] = found[:, None]
    pool, shift = mapped.realised.pool_hz, 1.5
    rates[..., 5] = 2.0 * (rates[..., :4].sum(-1) - pool)
    rates[0, 1, ..., 5] -= 2.0 * shift
    curves = ModulationCurves(("Vip", "Lamp5"), np.array([0.0, 6.0]), drives, rates)
    options = {"pool_hz": pool, "n_ticks": 6000, "seeds": 2, "seed": 3}
    driven = simulate_driven(mapped, curves, **options)
    np.testing.assert_allclose(driven.chip, driven.network, atol=0.08)
    assert (driven.chip[0] > 0).all() and (driven.chip[1] < -0.05).all()
    assert (driven.network_error == 0).all() and (driven.chip_error < 0.1).all()
    with pytest.raises(ParameterError, match="in this order"):
        simulate_driven(mapped, replace(curves, handles=("Sst", "Vip")), **options)
    with pytest.raises(ParameterError, match="seeds = 1"):
        simulate_driven(mapped, curves, **options | {"seeds": 1})
    one = replace(curves, rates=rates[..., :1, :])
    with pytest.raises(ParameterError, match="networks = 1"):
        simulate_driven(mapped, one, **options)


def test_reliability_and_errors_see_the_noise():
    """Half of the variance of one seed is noise, so four seeds have a reliability of 0.8."""
    rng = np.random.default_rng(1)
    n, reliabilities, ratios = len(CHIP_FUNCTIONS) + 1, [], []
    for _ in range(40):
        effect = np.concatenate([np.zeros((1, n)), 0.2 * rng.standard_normal((4, n))])
        noise = np.concatenate([np.zeros((1, n, 4)), 0.2 * rng.standard_normal((4, n, 4))])
        network = made_up_lesions(np.exp(effect[:, :, None] + noise))
        found = correlate_roles(replace(network, variants=("intact", *PRIMITIVES)), network)
        assert found.r == pytest.approx(1)  # a vector and itself, however noisy
        reliabilities.append(found.reliability)
        ratios.append(measure_lesion_errors(network).mean())
    assert np.mean(reliabilities) == pytest.approx(0.8, abs=0.05)
    assert np.mean(ratios) == pytest.approx(0.2 / 2, rel=0.12)
    flat = correlate_roles(
        replace(made_up_lesions(np.ones((5, n, 2))), variants=("intact", *PRIMITIVES)),
        made_up_lesions(np.ones((5, n, 2))),
    )
    assert flat.r == flat.scaled_r == flat.reliability == flat.resolved.sum() == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: replace(GAINS, gain_hz_per_khz=0.0), "gain_hz_per_khz = 0 is out of range"),
        (lambda: replace(GAINS, rival_hz_per_khz=1.0), "rival_hz_per_khz"),
        (lambda: replace(GAINS, alpha=2.0), "alpha = 2"),
        (lambda: replace(GAINS, depth=-1.0), "depth = -1"),
        (lambda: replace(GAINS, vip_hz=-1.0), "vip_hz = -1"),
        (lambda: replace(GAINS, pv_loop=-1.0), "pv_loop = -1"),
        (lambda: Layout(n_units=1), "n_units = 1"),
        (lambda: Layout.for_network(4, 0.0), "highest_hz = 0"),
        (lambda: Layout(copies=30), "copies = 30 is out of range; allowed: 1 … 24"),
        (lambda: match_gains(replace(GAINS, threshold_hz=90.0)), "leak for threshold_hz"),
        (lambda: match_gains(replace(GAINS, loop=90.0)), "weight for loop"),
        (lambda: without_primitive(match_gains(GAINS), "Pyr"), "primitive"),
        (lambda: match_gains(GAINS).line_rates([50.0]), "drive = 50"),
        (lambda: match_gains(GAINS).line_rates([-1.0]), "drive = -1"),
        (
            lambda: simulate_matched([match_gains(GAINS)], [(1, 1)] * 2, n_ticks=10, seed=0),
            "allowed: 1 rows, one per motif",
        ),
        (lambda: Target(PAIRS, PAIRS[:2], ("",) * 6), "do not belong together"),
        (lambda: Target(PAIRS, PAIRS, ("Pyr",) * 6), "cuts"),
        (lambda: Target(PAIRS, np.nan * PAIRS, ("",) * 6), "not finite"),
        (
            lambda: calibrate_match(GAINS, Target(PAIRS, PAIRS, ("",) * 6), rounds=0),
            "rounds = 0",
        ),
    ],
)
def test_bad_calls(call, message):
    with pytest.raises(ParameterError, match=message):
        call()


def test_figures():
    figure, axes = plt.subplots(1, 6)
    target = Target(PAIRS, PAIRS + 0.5, ("",) * 6)
    match_plots.plot_match_curves(target, PAIRS + 1, axes[0])
    assert axes[0].get_lines()[0].get_ydata().tolist() == [1.5, 2.5, 3.4]
    match_plots.plot_match(target, PAIRS, PAIRS + 1, axes[1])
    assert axes[1].get_lines()[2].get_ydata().tolist() == (PAIRS + 1).ravel().tolist()
    values = np.linspace(1, 3, 5 * (len(CHIP_FUNCTIONS) + 1) * 2).reshape(5, -1, 2)
    network = made_up_lesions(values)
    chip = replace(network, variants=("intact", *PRIMITIVES))
    match_plots.plot_role(chip, network, "Sst", axes[2])
    shown = axes[2].get_lines()
    matched = CHIP_FUNCTIONS.index("slope")
    assert len(shown[-2].get_xdata()) == len(CHIP_FUNCTIONS) - 1
    assert shown[-1].get_xdata() == lesion_vectors(network)[1, matched]
    with pytest.raises(ParameterError, match="primitive"):
        match_plots.plot_role(chip, network, "Pyr", axes[5])
    cost = measure_cost([1, 2], [0, 50], n_ticks=20, activity_cores=1, threads=1)
    match_plots.plot_cost_of_cores(cost.sizes, axes[3])
    assert axes[3].get_lines()[0].get_xdata().tolist() == [1, 2]
    match_plots.plot_cost_of_activity(cost.activities, axes[4])
    assert axes[4].get_lines()[0].get_xdata()[0] == 0
    plt.close(figure)


def test_fill_without_neurons_to_hear():
    assert not Fill(3, 0, 4, 5).crossbar.any()
