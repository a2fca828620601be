from __future__ import annotations

import itertools

import pytest

from ttsops.engines.nn.dpm_solver import SOLVERS, Solver, coefficients, sigmas, timesteps

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("n_steps", "expected"),
    [
        (1, [999]),
        (2, [999, 500]),
        (5, [999, 799, 599, 400, 200]),
        (10, [999, 899, 799, 699, 599, 500, 400, 300, 200, 100]),
    ],
)
def test_timesteps(n_steps: int, expected: list[int]) -> None:
    assert timesteps(n_steps).tolist() == expected


def test_the_first_row_of_five_steps() -> None:
    first = coefficients(5, "dpmsolver++")[0]
    assert first.cx == pytest.approx(0.951816, abs=1e-6)
    assert first.c0 == pytest.approx(0.306622, abs=1e-6)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("n_steps", range(1, 21))
def test_the_last_step_gives_the_clean_latent_alone(n_steps: int, solver: Solver) -> None:
    last = coefficients(n_steps, solver)[-1]
    assert (last.cx, last.c0, last.c1, last.cn) == (0, 1, 0, 0)
    assert sigmas(n_steps)[-1] == 0


@pytest.mark.parametrize("solver", SOLVERS)
def test_only_inner_steps_look_back(solver: Solver) -> None:
    table = coefficients(6, solver)
    assert [bool(row.c1) for row in table] == [False, True, True, True, True, False]


def test_only_the_stochastic_solver_adds_noise() -> None:
    assert all(row.cn == 0 for row in coefficients(5, "dpmsolver++"))
    assert [row.cn > 0 for row in coefficients(5, "sde-dpmsolver++")] == [True, True, True, True, False]


@pytest.mark.parametrize("n_steps", [2, 5, 20])
def test_the_stochastic_solver_keeps_the_variance_of_the_process(n_steps: int) -> None:
    """A clean latent of 0 leaves noise of exactly the next sigma."""
    table = coefficients(n_steps, "sde-dpmsolver++")
    for row, following in itertools.pairwise(table):
        variance = (row.cx * row.sigma) ** 2 + row.cn**2
        assert variance == pytest.approx(following.sigma**2, rel=1e-6)
