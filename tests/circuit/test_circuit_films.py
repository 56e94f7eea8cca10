"""Films show the rates that were simulated, and end where the simulation ends."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from swta.circuit import Motif, Selection, simulate_selection, simulate_sweep
from swta.circuit.films import film_hysteresis, film_selection


def test_the_last_frame_of_a_selection_has_its_rates():
    task = Selection(duration=100.0, noise_sd=0.0)
    result = simulate_selection(Motif(), task)
    figure, update = film_selection(result, task.inputs(4), 12)
    update(0)
    before = [bar.get_height() for bar in figure.axes[0].patches[4:]]
    update(11)
    after = [bar.get_height() for bar in figure.axes[0].patches[4:]]
    assert before == pytest.approx(result.together.rates[0, 0])
    line = figure.axes[1].lines[0]
    assert after[0] == line.get_ydata()[-1]
    assert line.get_xdata()[-1] == figure.axes[1].get_xlim()[1] == pytest.approx(10, abs=0.6)
    assert after[0] > 2 * after[1], "inputs of 10 and 9 are told apart by then"
    plt.close(figure)


def test_a_loop_has_two_paths():
    result = simulate_sweep([Motif(alpha=1.2)], mean_input=10.0, widest=4.0, step=0.5)
    figure, update = film_hysteresis(result, 10.0, 30)
    update(29)
    rising, falling, dot = figure.axes[1].lines
    assert len(rising.get_xdata()) == len(falling.get_xdata()) == len(result.differences)
    there, back = rising.get_ydata(), falling.get_ydata()[::-1]
    assert np.abs(there - back).max() > 5, "the paths differ where the loop is open"
    assert dot.get_xdata()[0] == result.differences[0]
    plt.close(figure)
