"""Up-states in spikes: protocol, conditions, and measures on made courses."""

import numpy as np
import pytest

from swta.circuit.network import Network
from swta.memory import (
    PatchCondition,
    SpikingBoundaryResult,
    SpikingMemoryResult,
    SpikingProtocol,
    measure_crossing,
    measure_held,
    measure_silent,
    simulate_spiking_boundary,
    simulate_spiking_memory,
)
from swta.validation import ParameterError


def made(rates):
    """A result of one condition and two patches from rates of unit 0 of X, (n_bins, n_seeds)."""
    courses = np.zeros((len(rates), 1, rates.shape[1], 2, 2))
    courses[..., 0, :, 0, 0] = rates
    courses[..., 0, :, 1, 0] = 40.0
    time = 0.05 * (np.arange(len(rates)) + 0.5) - 0.5
    return SpikingMemoryResult(time, courses, np.zeros((1, rates.shape[1], 2, 4)))


def test_held_states_are_up_in_every_window_of_both_patches():
    rates = np.full((60, 4), 40.0)
    rates[40:, 1] = 0.0  # lost
    rates[:12, 2] = 0.0  # late, but within the patience
    rates[:, 3] = np.nan  # diverged
    assert measure_held(made(rates)).tolist() == [[True, False, True, False]]
    with pytest.raises(ParameterError, match="follow the patches for longer"):
        measure_held(made(rates), patience_s=9.0)


def test_silent_runs_have_no_active_unit():
    result = made(np.zeros((60, 1)))
    assert not measure_silent(result)[0, 0]
    result.courses[..., 1, 0] = 2.0
    assert measure_silent(result)[0, 0]
    result.courses[20:30, 0, 0, 1, 1] = 30.0
    assert not measure_silent(result)[0, 0]


def test_crossing_is_interpolated():
    assert measure_crossing([0.1, 0.2, 0.3], [0.0, 0.25, 0.75]) == pytest.approx(0.25)
    assert np.isnan(measure_crossing([0.1, 0.2], [0.0, 0.4]))
    assert measure_crossing([1, 2, 3, 4], [0, 1, 0, 1]) == pytest.approx(2.5)


def test_boundary_compares_pairs_with_stronger_single_patches():
    gammas, pairs, singles = np.array([[0.1, 0.2, 0.3], [0.0, 0.5, 1.0], [0.0, 0.0, 1.0]])
    result = SpikingBoundaryResult(gammas, pairs, singles, 2)
    assert result.measured == pytest.approx(0.2)
    assert result.predicted == pytest.approx(0.25)
    small = Network(n_units=2, n_cells=120)
    protocol = SpikingProtocol(cue_s=0.1, settle_s=0.05, retention_s=0.7, seeds=1, compiled=False)
    found = simulate_spiking_boundary(small, protocol, [0.0, 0.1])
    assert found.pairs.tolist() == found.singles.tolist() == [0.0, 0.0]
    assert np.isnan(found.measured) and found.numbers() == {}
    assert "do not bracket the boundary" in found.describe()
    assert result.numbers()["error"] == pytest.approx(0.2)
    assert "γ = 0.200, half of the single patches at 0.250: an error of 20%" in result.describe()
    with pytest.raises(ParameterError, match="rising"):
        simulate_spiking_boundary(small, protocol, [0.2, 0.1])


def test_cue_reaches_only_its_patch_and_unit():
    protocol = SpikingProtocol(cue_khz=3.0, cue_s=0.1, settle_s=0.1)
    course = protocol.course(4, True)
    assert course[10:20, 0] == pytest.approx(3.0)
    assert course.sum() == pytest.approx(30.0) and course[-1].sum() == 0
    assert protocol.course(4, False).sum() == 0


def test_like_units_of_both_patches_are_joined_both_ways():
    bridges = PatchCondition(0.3).bridges(2)
    ends = {(b.pre, b.post) for b in bridges}
    assert ends == {((a, u), (1 - a, u)) for a in (0, 1) for u in (0, 1)}
    assert PatchCondition(0.3, cued=(True,)).bridges(2) == ()


def test_short_run_has_its_shape():
    network = Network(n_units=2, n_cells=120)
    protocol = SpikingProtocol(cue_s=0.1, settle_s=0.1, retention_s=0.3, seeds=2, compiled=False)
    conditions = [PatchCondition(0.2), PatchCondition(0.2, cued=(False, False))]
    result = simulate_spiking_memory(network, protocol, conditions)
    assert result.courses.shape == (10, 2, 2, 2, 2)
    assert result.interneurons.shape == (2, 2, 2, 4)
    assert result.time_s[0] == pytest.approx(-0.175)
    assert result.courses[2:4, 0, :, 0, 0].mean() > result.courses[2:4, 1, :, 0, 0].mean()


def test_bad_protocols_are_refused():
    for field, value in (("cue_khz", -1), ("retention_s", 0), ("seeds", 0), ("processes", 0)):
        with pytest.raises(ParameterError, match=field):
            SpikingProtocol(**{field: value})
    with pytest.raises(ParameterError, match="cued is empty"):
        PatchCondition(cued=())
    with pytest.raises(ParameterError, match="0 conditions"):
        simulate_spiking_memory(Network(), SpikingProtocol(), [])
