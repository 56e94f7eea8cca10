"""The film of the machine shows the state that the machine is in."""

import matplotlib.pyplot as plt
import numpy as np

from swta.circuit import Motif
from swta.memory import (
    StateMachine,
    Timing,
    TransitionCells,
    encode,
    simulate_machine,
    two_state_automaton,
)
from swta.memory.films import film_machine


def test_the_state_that_is_up_is_the_one_with_colour():
    symbols = ["s", "r"]
    cells = TransitionCells(phi_in=0.5, phi_out=2.0, T_z=6.0, strength=5.6)
    machine = StateMachine(two_state_automaton(), Motif(T_E=0.3, T_N=1.0, n_units=2), 0.4, cells)
    result = simulate_machine(machine, encode(machine.automaton, symbols), timing=Timing())
    figure, update = film_machine(result, symbols, Timing().symbol, 61)
    left, right = figure.axes
    seen = []
    for number in range(61):
        update(number)
        opacity = left.collections[0].get_facecolors()[:, 3]
        now = right.lines[0].get_xdata()[-1]
        if np.abs(result.read_times - now).min() < 3:
            seen.append(int(opacity.argmax()))
    assert seen[0] == result.expected[0, 0] and set(seen) == set(result.expected[0])
    assert {text.get_text() for text in left.texts} >= set(result.states)
    plt.close(figure)
