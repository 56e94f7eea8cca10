"""Many searches at once end where each of them ends alone."""

import numpy as np
import pytest
from scipy.optimize import differential_evolution

from swta.cells.lockstep import minimise_together
from swta.validation import ParameterError

CENTRES = np.array([[0.3, -0.4], [-0.7, 0.6], [0.0, 0.9]])
BOUNDS = [[(-1.0, 1.0), (-1.0, 1.0)]] * 3


class Bowls:
    """A quadratic bowl per problem; counts its calls and what they ask for."""

    def __init__(self):
        self.calls = []

    def __call__(self, which, candidates):
        self.calls.append(np.unique(which))
        return ((candidates - CENTRES[which]) ** 2).sum(axis=1)


def test_every_problem_reaches_its_own_minimum():
    bowls = Bowls()
    found = minimise_together(bowls, BOUNDS, population=12, generations=200, tol=1e-6, atol=1e-9)
    assert np.array([one.x for one in found]) == pytest.approx(CENTRES, abs=1e-2)
    assert all(one.success for one in found)
    assert len(bowls.calls) == max(one.nit for one in found) + 1, "one call a generation"
    assert bowls.calls[0].tolist() == [0, 1, 2]
    assert len(bowls.calls[-1]) < 3, "those that have converged ask no more"


def test_together_alone_and_by_scipy_itself_is_the_same():
    together = minimise_together(Bowls(), BOUNDS, population=12, generations=20, seed=4)
    alone = minimise_together(Bowls(), BOUNDS[:1], population=12, generations=20, seed=4)
    assert alone[0].x.tolist() == together[0].x.tolist()
    for problem, one in enumerate(together):
        own = differential_evolution(
            lambda x, centre=CENTRES[problem]: ((x - centre[:, None]) ** 2).sum(axis=0),
            BOUNDS[problem],
            popsize=6,
            maxiter=20,
            mutation=(0.5, 1.0),
            recombination=0.9,
            tol=0.02,
            atol=0.01,
            vectorized=True,
            updating="deferred",
            polish=False,
            rng=np.random.default_rng((4, problem)),
        )
        assert one.x.tolist() == own.x.tolist()
        assert one.nit == own.nit


def test_generations_that_run_out_are_no_success():
    found = minimise_together(Bowls(), BOUNDS, population=12, generations=1, tol=0, atol=0)
    assert not any(one.success for one in found)


def test_an_error_of_the_evaluation_reaches_the_caller_and_ends_all_solvers():
    calls = []

    def fails(which, candidates):
        calls.append(len(which))
        if len(calls) == 3:
            raise ZeroDivisionError("third generation")
        return (candidates**2).sum(axis=1)

    with pytest.raises(ZeroDivisionError, match="third generation"):
        minimise_together(fails, BOUNDS, population=12, generations=50, tol=0, atol=0)
    assert len(calls) == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bounds": []}, "bounds of 0 problems"),
        ({"bounds": [[(0, 1)], [(0, 1), (0, 1)]]}, r"\[1, 2\] variables"),
        ({"population": 9}, "population = 9"),
        ({"generations": 0}, "generations = 0"),
        ({"seed": -1}, "seed = -1"),
        ({"tol": -1.0}, "tol = -1"),
    ],
)
def test_bad_sizes_are_named(change, message):
    given = {"bounds": BOUNDS, "population": 12, "generations": 5} | change
    with pytest.raises(ParameterError, match=message):
        minimise_together(Bowls(), given.pop("bounds"), **given)
