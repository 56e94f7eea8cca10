"""Ranges: every field, and what the message says."""

import numpy as np
import pytest

from swta.truenorth import Core, Neurons
from swta.validation import ParameterError

RANGES = {
    "weights": (-255, 255),
    "leak": (-255, 255),
    "threshold": (0, 2**18 - 1),
    "negative_threshold": (0, 2**18 - 1),
    "reset": (-(2**19) + 1, 2**19 - 1),
    "reset_mode": (0, 2),
    "potential": (-(2**19), 2**19 - 1),
    "leak_reversal": (0, 1),
    "negative_saturate": (0, 1),
    "stochastic_synapse": (0, 1),
    "stochastic_leak": (0, 1),
    "threshold_mask_bits": (0, 18),
    "target_core": (-1, 4095),
    "target_axon": (0, 255),
    "delay": (1, 15),
}


@pytest.mark.parametrize("name", RANGES)
def test_range_of(name):
    low, high = RANGES[name]
    for value in (low, high):
        neurons = Neurons(**({"weights": 0} | {name: value}))
        assert np.all(np.asarray(getattr(neurons, name)) == value)
    for value in (low - 1, high + 1):
        array = np.zeros(256, dtype=int) + low
        array[7] = value
        value_of_field = np.tile(array[:, None], 4) if name in PER_TYPE else array
        place = rf"core 3, neuron 7: {name}{r'.0.' if name in PER_TYPE else ''} = {value} is out of"
        with pytest.raises(ParameterError, match=place) as caught:
            Neurons(**({"weights": 0} | {name: value_of_field, "core": 3}))
        assert f"allowed: {low} … {high}" in str(caught.value)


PER_TYPE = ("weights", "stochastic_synapse")


def test_message_without_core_and_with_count():
    with pytest.raises(ParameterError, match=r"^neuron 0: leak = 256 .* \(and 255 more\)"):
        Neurons(weights=0, leak=256)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (1.5, "neuron 0: threshold = 1.5 is not a whole number"),
        (float("nan"), "threshold = nan is not a whole number"),
        (float("inf"), "threshold = inf is not a whole number"),
        ("ten", "threshold must hold whole numbers"),
        (np.zeros(255), r"threshold has shape \(255,\); allowed: \(256,\)"),
    ],
)
def test_what_is_not_a_whole_number(value, message):
    with pytest.raises(ParameterError, match=message):
        Neurons(weights=0, threshold=value)


def test_whole_floats_are_accepted():
    assert Neurons(weights=0, threshold=3.0).threshold.tolist() == [3] * 256


def test_fields_are_read_only_copies():
    leak = np.ones(256, dtype=np.int16)
    neurons = Neurons(weights=[1, 2, 3, 4], leak=leak)
    leak[:] = 9
    assert set(neurons.leak) == {1}
    assert neurons.weights.shape == (256, 4)
    with pytest.raises(ValueError, match="read-only"):
        neurons.leak[0] = 2


@pytest.mark.parametrize(
    ("axon_type", "crossbar", "message"),
    [
        (
            [0] * 5 + [4] + [0] * 250,
            0,
            "core 2, axon 5: axon_type = 4 is out of range; allowed: 0 … 3",
        ),
        (0, 2, r"core 2, axon 0: crossbar\[0\] = 2 is out of range; allowed: 0 … 1"),
        (0, np.zeros((256, 255)), "crossbar has shape"),
    ],
)
def test_bad_core(axon_type, crossbar, message):
    with pytest.raises(ParameterError, match=message):
        Core(axon_type, crossbar, Neurons(weights=0, core=2))
