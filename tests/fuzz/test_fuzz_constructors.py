"""Every public record that checks what it is given refuses it in words, or takes it."""

import importlib
import inspect

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up import fuzzed, values

from swta.circuit import Motif
from swta.memory import Automaton, TransitionCells
from swta.validation import ParameterError
from swta.vision import CircuitParameters

pytestmark = pytest.mark.fuzz

PACKAGES = ("cells", "circuit", "truenorth", "memory", "vision", "data")
AUTOMATON = Automaton(("a", "b"), ("x",), {("a", "x"): "b", ("b", "x"): "a"}, "a")
MEMORY = Motif(T_E=0.3, T_N=1.0)  # what has a down state
BASES = {  # what a record needs at least
    "AdExParameters": dict(
        C=100.0, g_L=5.0, E_L=-70.0, V_T=-45.0, Delta_T=2.0, tau_w=100.0, a=1.0, b=20.0,
        V_reset=-55.0, refractory=2.0, V_peak=20.0,
    ),
    "Automaton": dict(
        states=("a", "b"), symbols=("x",), transitions={("a", "x"): "b", ("b", "x"): "a"}, start="a"
    ),
    "CoupledPair": dict(motif=MEMORY),
    "FeatureStatistics": dict(n=3, median=1.0, q25=0.5, q75=2.0),
    "Neurons": dict(weights=[1, 2, 3, 4]),
    "Population": dict(name="p", n=4),
    "Projection": dict(pre="p", post="q", weight=1),
    "RateNetwork": dict(weights=np.zeros((2, 2)), thresholds=np.zeros(2), labels=("a", "b")),
    "Source": dict(name="s", n=2),
    "SparseCoupling": dict(connections=2, weight=1),
    "SpikingMachine": dict(automaton=AUTOMATON),
    "StateMachine": dict(automaton=AUTOMATON, motif=MEMORY, gamma=0.3, cells=TransitionCells()),
    "StepInputs": dict(onsets=np.zeros(1), values=np.zeros((1, 2))),
    "DigitSet": dict(
        images=np.zeros((1, 32, 32, 3), np.uint8), labels=np.zeros(1, np.int64),
        index=np.zeros(1, np.int64), name="uci", split="test", source="made up",
    ),
}  # fmt: skip
ABSTRACT = {CircuitParameters}
# arrays and records only, which have tests of their own
WITHOUT_SCALARS = {"ClassDistribution", "ClassStatistics", "Core", "Network"}


def checking_records():
    found = {}
    for package in PACKAGES:
        module = importlib.import_module(f"swta.{package}")
        for name, record in vars(module).items():
            if not inspect.isclass(record) or record in ABSTRACT or name.startswith("_"):
                continue
            if any("__post_init__" in vars(base) for base in record.__mro__):
                found[name] = record
    return found


RECORDS = checking_records()


def fields(record):
    """The fields for which values can be made up, with a strategy for each."""
    found = {}
    for name, parameter in inspect.signature(record).parameters.items():
        strategy = values(str(parameter.annotation).strip("'"))
        if strategy is not None:
            found[name] = strategy
    return found


def test_every_record_is_known():
    assert len(RECORDS) > 25
    for name, record in RECORDS.items():
        if name not in WITHOUT_SCALARS:
            assert fields(record), name
            record(**BASES.get(name, {}))


@pytest.mark.parametrize("name", sorted(set(RECORDS) - WITHOUT_SCALARS))
@fuzzed
@given(data=st.data())
def test_a_record_takes_or_refuses_in_words(name, data):
    record = RECORDS[name]
    possible = fields(record)
    chosen = data.draw(st.lists(st.sampled_from(sorted(possible)), min_size=1, max_size=3))
    given_values = {field: data.draw(possible[field], label=field) for field in chosen}
    try:
        record(**BASES.get(name, {}) | given_values)
    except ParameterError as error:
        assert len(str(error)) > 15 and " " in str(error), "say what was wrong"
