"""Many small optimisations at once: one evaluation for all problems in every generation.

`scipy.optimize.differential_evolution` hands a whole generation of one problem to the objective.
Ninety problems, solved one after the other, would ask ninety times for a few dozen simulations
each, too few to fill a vectorised simulator. scipy has no solver for many problems at once, so
every problem gets its own scipy solver in its own thread; each waits until all have asked, and one
call answers them all. The threads only wait for each other: there is no parallel Python in this.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import OptimizeResult, differential_evolution

from swta.validation import ParameterError, check_integer, check_real

# Which problem each candidate belongs to (n,), the candidates (n, d) -> their costs (n,).
Evaluate = Callable[[NDArray[np.int64], NDArray[np.float64]], NDArray[np.float64]]


class _Stopped(Exception):
    """The evaluation failed; the solvers that wait for it have to end."""


def minimise_together(
    evaluate: Evaluate,
    bounds: Sequence[Sequence[tuple[float, float]]],
    *,
    population: int,
    generations: int,
    seed: int = 0,
    mutation: tuple[float, float] = (0.5, 1.0),
    recombination: float = 0.9,
    tol: float = 0.02,
    atol: float = 0.01,
) -> list[OptimizeResult]:
    """scipy's result of every problem: place ``x``, cost ``fun``, ``success``, ``nit``.

    The solver of problem i is that of scipy with the seed (seed, i), so a problem ends at the same
    place whether it is solved with others or alone. A problem that has converged asks no more.

    Args:
        evaluate: costs of candidates of any problems, see `Evaluate`.
        bounds: of every problem, (low, high) of each of its d variables; the same d for all.
        population: candidates of a problem per generation; a multiple of d is kept.
        generations: largest number of generations.
        seed: of all solvers.
        mutation, recombination, tol, atol: as in scipy; converged is where the standard deviation
            of a population's costs is below atol + tol |mean|.

    Raises:
        ParameterError: no problem, bounds of different lengths, or bad sizes.
        Exception: whatever ``evaluate`` raises.
    """
    check_integer("generations", generations, low=1)
    check_integer("seed", seed, low=0)
    check_real("tol", tol, low=0)
    check_real("atol", atol, low=0)
    sizes = {len(one) for one in bounds}
    if len(sizes) != 1 or 0 in sizes:
        raise ParameterError(
            f"bounds of {len(bounds)} problems have {sorted(sizes)} variables; allowed: one "
            "problem or more, all with the same number, above 0"
        )
    size = sizes.pop()
    check_integer("population", population, low=5 * size)
    asked: SimpleQueue[tuple[int, NDArray[np.float64] | None, SimpleQueue[Any] | None]]
    asked = SimpleQueue()

    def solve(problem: int) -> OptimizeResult:
        answers: SimpleQueue[NDArray[np.float64] | None] = SimpleQueue()

        def objective(candidates: NDArray[np.float64]) -> NDArray[np.float64]:
            asked.put((problem, candidates.T, answers))
            costs = answers.get()
            if costs is None:
                raise _Stopped
            return costs

        try:
            return differential_evolution(
                objective,
                bounds[problem],
                popsize=population // size,  # scipy counts per variable
                maxiter=generations,
                mutation=mutation,
                recombination=recombination,
                tol=tol,
                atol=atol,
                vectorized=True,
                updating="deferred",
                polish=False,  # spike counts have no gradient
                rng=np.random.default_rng((seed, problem)),
            )
        finally:
            asked.put((problem, None, None))

    with ThreadPoolExecutor(max_workers=len(bounds)) as pool:
        running = [pool.submit(solve, problem) for problem in range(len(bounds))]
        failure = _serve(evaluate, asked, len(bounds))
    if failure is not None:
        raise failure
    return [one.result() for one in running]


def _serve(evaluate: Evaluate, asked: SimpleQueue[Any], active: int) -> BaseException | None:
    """Answer the solvers, a generation of all at a time, until the last has ended."""
    failure: BaseException | None = None
    while active:
        waiting: list[tuple[int, NDArray[np.float64], SimpleQueue[Any]]] = []
        while len(waiting) < active:
            try:
                problem, candidates, answers = asked.get()
            except KeyboardInterrupt as error:
                failure = error
                continue
            if candidates is None:
                active -= 1
            else:
                waiting.append((problem, candidates, answers))
        if not waiting:
            continue
        waiting.sort(key=lambda entry: entry[0])
        parts: list[Any] = [None] * len(waiting)
        if failure is None:
            sizes = [len(candidates) for _, candidates, _ in waiting]
            which = np.repeat([problem for problem, _, _ in waiting], sizes)
            try:
                costs = evaluate(which, np.concatenate([entry[1] for entry in waiting]))
                parts = np.split(costs, np.cumsum(sizes)[:-1])
            except BaseException as error:  # passed on once every solver has ended
                failure = error
        for (_, _, answers), part in zip(waiting, parts, strict=True):
            answers.put(part)
    return failure
