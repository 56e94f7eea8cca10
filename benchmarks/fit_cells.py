"""What fitting all recorded cells at once saves, against fitting them cell by cell.

Run with ``python benchmarks/fit_cells.py``; it needs the physiology tables. The lockstep fit is run
in full. Fitting cell by cell is the plain way: the same search, one cell at a time, one sweep at a
time, through Brian 2 or through `scipy.integrate.solve_ivp` with an event at each spike. It would
take days, so some of its simulations are timed, of fitted cells at their own currents, and
multiplied by the number of simulations that the search asked for. A third peer is this package's
own engine given one cell at a time, all candidates of a generation together, timed on a few cells.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from time import perf_counter, process_time

import numba
import numpy as np
from scipy.integrate import solve_ivp

from swta.cells.adex import LARGEST_EXPONENT, AdExParameters
from swta.cells.cell_fit import POPULATION, CellFits, fit_cells
from swta.cells.heldout import measure_heldout
from swta.cells.simulate import simulate_steps
from swta.cells.sweeps import SweepTable, load_sweep_table


def integrate(cell: AdExParameters, current: float, duration_ms: float = 1000.0) -> int:
    """Spikes of one step by an adaptive integrator that stops at each spike and starts again."""

    def flow(_: float, state: np.ndarray) -> list[float]:
        v, w = state
        onset = np.exp(min((v - cell.V_T) / cell.Delta_T, LARGEST_EXPONENT))
        drive = cell.g_L * (cell.Delta_T * onset - (v - cell.E_L)) - w + current
        return [drive / cell.C, (cell.a * (v - cell.E_L) - w) / cell.tau_w]

    top = min(cell.V_peak, cell.V_T + 15 * cell.Delta_T)

    def spike(_: float, state: np.ndarray) -> float:
        return state[0] - top

    spike.terminal, spike.direction = True, 1.0
    t, state, count = 0.0, [cell.E_L, 0.0], 0
    while t < duration_ms:
        run = solve_ivp(flow, (t, duration_ms), state, events=spike, rtol=1e-4, atol=1e-4)
        if not run.t_events[0].size:
            break
        count += 1
        t = run.t_events[0][0] + max(cell.refractory, 0.1)
        state = [cell.V_reset, run.y_events[0][0][1] + cell.b]
    return count


def count_simulations(table: SweepTable, fits: CellFits) -> int:
    """Cells' levels times candidates times generations that the search simulated."""
    train = table.side("train")
    levels = train[train["n_spikes"] > 0].groupby("specimen_id").size() + 1
    return sum(
        int(levels[fit.specimen_id]) * POPULATION * (fit.generations + 1) for fit in fits.fits
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=min(2, numba.config.NUMBA_NUM_THREADS))
    parser.add_argument("--cells", type=int, default=4, help="cells timed the plain way")
    parser.add_argument("--generations", type=int, default=400)
    arguments = parser.parse_args()
    numba.set_num_threads(arguments.threads)
    table = load_sweep_table()
    few = replace(table, cells=table.cells.iloc[:1])
    few = replace(few, steps=table.steps[table.steps["specimen_id"].isin(few.cells["specimen_id"])])
    fit_cells(few, generations=1)  # compile

    start, busy = perf_counter(), process_time()
    fits = fit_cells(table, population=POPULATION, generations=arguments.generations)
    together, busy = perf_counter() - start, process_time() - busy
    simulations = count_simulations(table, fits)
    print(table.note)
    print(
        f"all at once, {arguments.threads} threads: {together:.1f} s ({busy:.1f} s of processor "
        f"time) for {len(fits.fits)} cells, {simulations} simulations of 1 s, "
        f"{1e6 * together / simulations:.1f} us each"
    )
    scores = measure_heldout(table, fits).summarise()
    model = scores[scores["predictor"] == "model"].set_index("class")["median"]
    print("held-out explained variance, median: " + model.round(4).to_string().replace("\n", "; "))

    picked = np.linspace(0, len(fits.fits) - 1, arguments.cells).round().astype(int)
    train = table.side("train")
    jobs = []
    for place in picked:
        fit = fits.fits[place]
        own = train[(train["specimen_id"] == fit.specimen_id) & (train["n_spikes"] > 0)]
        jobs += [(fit.parameters, float(current)) for current in own["current_pA"]]
    simulate_steps([jobs[0][0]], [jobs[0][1]], dt_ms=0.1)  # import Brian 2
    peers = {
        "solve_ivp": lambda cell, current: integrate(cell, current),
        "Brian 2": lambda cell, current: simulate_steps([cell], [current], dt_ms=0.1),
    }
    print(f"cell by cell, sweep by sweep, timed on {len(jobs)} sweeps of {len(picked)} cells:")
    for name, run in peers.items():
        start = perf_counter()
        for cell, current in jobs:
            run(cell, current)
        each = (perf_counter() - start) / len(jobs)
        alone = each * simulations
        print(
            f"  {name}: {1e3 * each:.0f} ms each, {alone / 3600:.1f} h in all (extrapolated), "
            f"ratio {alone / together:.0f}"
        )
    start = perf_counter()
    for place in picked:
        one = replace(table, cells=table.cells.iloc[[place]])
        own = table.steps["specimen_id"] == one.cells["specimen_id"].iloc[0]
        fit_cells(
            replace(one, steps=table.steps[own]),
            population=POPULATION,
            generations=arguments.generations,
        )
    each = (perf_counter() - start) / len(picked)
    alone = each * len(table.cells)
    print(
        f"this engine cell by cell, timed on {len(picked)} cells: {each:.2f} s each, {alone:.0f} s "
        f"in all (extrapolated), ratio {alone / together:.1f}"
    )


if __name__ == "__main__":
    main()
