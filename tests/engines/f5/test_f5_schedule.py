"""When a flow is evaluated."""

import pytest
import torch

from ttsops.engines.f5.schedule import PRUNED, Schedule

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("sway", [-1.0, -0.3, 0.0, 0.7, 1.0])
@pytest.mark.parametrize("n_steps", [1, 5, 7, 8, 16, 32, 64])
def test_times_rise_from_noise_to_speech(n_steps: int, sway: float) -> None:
    times = Schedule(n_steps, sway).times()
    assert len(times) == n_steps + 1
    assert times[0] == 0
    assert times[-1] == pytest.approx(1, abs=1e-6)
    assert bool((times.diff() > 0).all())


def test_sway_below_zero_makes_early_steps_shorter() -> None:
    even, swayed = Schedule(8, 0.0).times(), Schedule(8, -1.0).times()
    assert torch.equal(even, torch.linspace(0, 1, 9))
    assert bool((swayed[1:-1] < even[1:-1]).all())


def test_pruned_grids_are_used_where_there_is_one_and_wanted() -> None:
    assert all(len(grid) == n_steps + 1 for n_steps, grid in PRUNED.items())
    assert Schedule(7, 0.0).times()[1] == 2 / 32
    assert Schedule(7, 0.0, is_pruned=False).times()[1] == pytest.approx(1 / 7)
    assert torch.equal(Schedule(8).times(), Schedule(8, is_pruned=False).times())


def test_no_step_is_no_schedule() -> None:
    with pytest.raises(ValueError, match="a schedule of 0 steps"):
        Schedule(0)
