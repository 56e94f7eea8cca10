"""Hysteresis of a hard motif on a core, and what each primitive does to it."""

from dataclasses import replace

import numpy as np
import pytest

from swta.circuit import Motif, hysteresis_half_width
from swta.truenorth import PRIMITIVES, MotifRequest
from swta.truenorth.hysteresis import (
    HysteresisResult,
    _run_chip,
    _run_model,
    simulate_hysteresis,
)
from swta.truenorth.mapping import map_motif, without
from swta.validation import ParameterError

HARD = MotifRequest(
    motif=Motif(alpha=1.25, beta1=1.5, beta2=0.5, n_units=2),
    threshold=128,
    inhibitory_threshold=128,
    negative_threshold=1280,
)
ALL = replace(HARD, motif=replace(HARD.motif, T_N=4 / 128), feedforward=0.125, feedforward_lines=8)
TILTS = np.linspace(0.1, 1.0, 10)


def test_the_intact_motif_holds_as_long_as_theory_says():
    found = simulate_hysteresis(HARD, TILTS, n_ticks=1200, seed=1)
    chip, model = found.half_widths()
    theory = hysteresis_half_width(HARD.motif, 0.15) / 0.15
    assert theory == pytest.approx(0.4)  # 2 (κ - 1) / (κ + 1) with κ = 1.5
    assert abs(model[0] - theory) <= 0.1 + 1e-9
    assert abs(chip[0] - theory) <= 0.1 + 1e-9


def test_primitives_change_the_loop_as_the_model_says():
    found = simulate_hysteresis(ALL, TILTS, n_ticks=1200, seed=0)
    assert found.removed == ("", *PRIMITIVES) and found.lead.shape == (5, len(TILTS))
    chip, model = found.half_widths()
    intact, pv, sst, vip, lamp5 = model
    assert sst == 0 < vip < intact < pv < lamp5
    np.testing.assert_allclose(chip[:4], model[:4], atol=0.1 + 1e-9)
    assert chip[4] == pytest.approx(
        model[4], abs=0.2 + 1e-9
    )  # its loop is steep: 1 + β₁β₂ - α is 0.3
    assert chip[2] == 0 < chip[3] <= chip[0] < chip[4]


def test_without_sst_both_units_run_to_the_ceiling_of_a_spike_per_tick():
    free = without(map_motif(ALL), "Sst")
    phases = (np.array([[0.2, 0.1]]),) * 2
    np.testing.assert_allclose(_run_model([free], phases), 1.0, atol=1e-6)
    np.testing.assert_allclose(_run_chip([free], phases, 600, 0), 1.0, atol=0.02)


def test_a_soft_motif_forgets():
    soft = replace(ALL, motif=replace(ALL.motif, alpha=0.5))
    chip, model = simulate_hysteresis(soft, TILTS[:4], n_ticks=800, seed=0).half_widths()
    assert chip[0] == model[0] == 0


def test_the_loop_ends_where_the_lead_is_first_lost():
    lead = np.array([[0.9, 0.4, 0.9], [0.9, 0.9, 0.9], [-1.0, 0.9, 0.9]])
    found = HysteresisResult(("", "a", "b"), np.array([0.2, 0.4, 0.6]), lead, lead)
    np.testing.assert_allclose(found.half_widths()[0], [0.2, 0.6, 0.0])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tilts": [0.4, 0.2]}, "increasing"),
        ({"tilts": [0.0, 0.2]}, "between 0 and 2"),
        ({"tilts": []}, "between 0 and 2"),
        ({"mean": 0.9}, "mean = 0.9"),
        ({"cue": 2.0}, "cue = 2"),
        ({"n_ticks": 0}, "n_ticks = 0"),
        ({"request": MotifRequest()}, "n_units = 3"),
    ],
)
def test_bad_calls(changes, message):
    options = {"request": HARD, "tilts": TILTS, "n_ticks": 100, "seed": 0} | changes
    with pytest.raises(ParameterError, match=message):
        simulate_hysteresis(**options)
