"""The simulation against what is known on paper, and against rules it must keep."""

from __future__ import annotations

import math

import numpy as np
import pytest
from benchmarks.capacity.arrivals import Bursts, Day, LogNormal, OfTexts, Poisson
from benchmarks.capacity.simulate import Heard, Server, simulate
from benchmarks.capacity.steps import StepModel, linear

pytestmark = pytest.mark.unit

CHUNK = 0.02
ALWAYS_AS_FAST = StepModel({1: CHUNK}, CHUNK)
"""Whoever has a place is served in the time the speech takes to play, however many there are."""

N_RUNS = 8


def erlang_b(n_places: int, load: float) -> float:
    """Share that finds all places taken. https://en.wikipedia.org/wiki/Erlang_(unit)#Erlang_B_formula"""
    blocked = 1.0
    for n in range(1, n_places + 1):
        blocked = load * blocked / (n + load * blocked)
    return blocked


def erlang_c(n_places: int, load: float) -> float:
    """Share that waits. https://en.wikipedia.org/wiki/Erlang_(unit)#Erlang_C_formula"""
    blocked = erlang_b(n_places, load)
    return n_places * blocked / (n_places - load * (1 - blocked))


def served_seconds(heard: list[Heard]) -> float:
    """Mean time in a place: the speech, and what of it the steps' grid adds."""
    times = [one.ended_at - one.came_at - one.wait_seconds for one in heard if not one.is_refused]
    return float(np.mean(times))


def runs(server: Server, rate: float, mean_seconds: float) -> list[list[Heard]]:
    found = []
    for seed in range(N_RUNS):
        rng = np.random.default_rng(seed)
        times = Poisson(rate).times(400.0, rng)
        found.append(simulate(times, rng.exponential(mean_seconds, len(times)), [server]))
    return found


def within(shares: list[float], expected: float) -> None:
    """Four standard errors of the runs' mean, and these are small enough to tell something."""
    error = float(np.std(shares, ddof=1)) / math.sqrt(len(shares))
    assert error < 0.015
    assert abs(float(np.mean(shares)) - expected) < 4 * error


def test_as_many_are_refused_as_erlang_says() -> None:
    server = Server(ALWAYS_AS_FAST, max_streams=5, max_queue=0)
    found = runs(server, rate=4.0, mean_seconds=1.0)
    load = 4.0 * served_seconds([one for run in found for one in run])
    assert load == pytest.approx(4.0, rel=0.05)
    within([sum(one.is_refused for one in run) / len(run) for run in found], erlang_b(5, load))


def test_as_many_wait_as_erlang_says() -> None:
    server = Server(ALWAYS_AS_FAST, max_streams=5, max_queue=10_000, max_queue_seconds=1e6)
    found = runs(server, rate=3.0, mean_seconds=1.0)
    load = 3.0 * served_seconds([one for run in found for one in run])
    within([sum(one.wait_seconds > 0 for one in run) / len(run) for run in found], erlang_c(5, load))


def test_one_alone_hears_the_first_chunk_after_one_step_and_never_runs_dry() -> None:
    steps = linear(step_seconds=0.01, utterance_seconds=0.02, chunk_seconds=0.08)
    (heard,) = simulate(np.array([1.0]), np.array([0.8]), [Server(steps, max_streams=1)])
    assert heard.first_audio_seconds == pytest.approx(0.03)
    assert heard.ended_at == pytest.approx(1.0 + 10 * 0.03)
    assert not heard.underruns


def test_opening_takes_its_time_of_everybody() -> None:
    steps = StepModel({1: 0.01}, 0.08, open_seconds=0.5)
    first, second = simulate(np.array([0.0, 0.6]), np.array([8.0, 0.08]), [Server(steps, max_streams=2)])
    assert first.first_audio_seconds == pytest.approx(0.51)
    assert second.first_audio_seconds == pytest.approx(0.51, abs=0.01)


def test_places_are_given_in_order_and_the_line_has_an_end() -> None:
    server = Server(StepModel({1: 0.1}, 0.1), max_streams=1, max_queue=1, max_queue_seconds=5.0)
    heard = simulate(np.array([0.0, 0.1, 0.2, 1.2]), np.full(4, 1.0), [server])
    assert [one.is_refused for one in heard] == [False, False, True, False]
    assert [one.wait_seconds for one in heard] == pytest.approx([0.0, 0.9, 0.0, 0.8])


def test_who_waits_too_long_is_refused_and_gives_the_place_in_line_back() -> None:
    server = Server(StepModel({1: 0.1}, 0.1), max_streams=1, max_queue=1, max_queue_seconds=2.0)
    heard = simulate(np.array([0.0, 0.5, 3.0]), np.full(3, 4.0), [server])
    assert [one.is_refused for one in heard] == [False, True, False]
    assert heard[1].wait_seconds == pytest.approx(2.0)
    assert heard[2].wait_seconds == pytest.approx(1.0)


def test_two_who_are_too_many_run_dry_and_one_does_not() -> None:
    steps = linear(step_seconds=0.01, utterance_seconds=0.04, chunk_seconds=0.08)
    assert steps.keeps_up_with(8) == 1
    alone = simulate(np.array([0.0]), np.array([2.0]), [Server(steps, max_streams=1)])
    both = simulate(np.zeros(2), np.full(2, 2.0), [Server(steps, max_streams=2)])
    assert not alone[0].underruns
    assert all(one.underruns for one in both)
    assert both[0].underrun_seconds == pytest.approx(24 * 0.01, rel=0.1)


def test_a_server_of_its_own_is_as_good_as_being_alone() -> None:
    steps = linear(step_seconds=0.01, utterance_seconds=0.04, chunk_seconds=0.08)
    heard = simulate(np.zeros(2), np.full(2, 2.0), [Server(steps, max_streams=2)] * 2)
    assert {one.server for one in heard} == {0, 1}
    assert not any(one.underruns for one in heard)


def test_who_hears_slowly_keeps_the_place_for_as_long() -> None:
    steps = StepModel({1: 0.01}, 0.1)
    times, speech = np.array([0.0]), np.array([30.0])
    quick = simulate(times, speech, [Server(steps, max_streams=1)])[0]
    slow = simulate(times, speech, [Server(steps, max_streams=1, window_seconds=8.0, ahead_seconds=2.0)])[0]
    assert quick.ended_at == pytest.approx(3.0)
    assert slow.ended_at == pytest.approx(30.0 - 10.0, abs=0.3)
    assert not slow.underruns


@pytest.mark.parametrize(
    "arrivals",
    [
        Poisson(5.0),
        Day(5.0, peak=1.9, period_seconds=100.0),
        Bursts(2.0, 20.0, quiet_seconds=25.0, busy_seconds=5.0),
    ],
)
def test_as_many_come_as_they_say_and_the_same_for_the_same_seed(arrivals: Poisson | Day | Bursts) -> None:
    counts = []
    for seed in range(20):
        times = arrivals.times(1000.0, np.random.default_rng(seed))
        assert (np.diff(times) >= 0).all()
        assert times[0] >= 0
        assert times[-1] < 1000.0
        counts.append(len(times))
    assert np.mean(counts) / 1000 == pytest.approx(arrivals.mean_rate, rel=0.07)
    again = arrivals.times(1000.0, np.random.default_rng(19))
    assert np.array_equal(again, times)


def test_bursts_and_days_are_more_uneven_than_chance() -> None:
    def unevenness(arrivals: Poisson | Day | Bursts) -> float:
        """Variance of the arrivals in ten seconds / their mean: 1 for Poisson."""
        times = arrivals.times(20_000.0, np.random.default_rng(0))
        counts = np.histogram(times, bins=2000)[0]
        return float(counts.var() / counts.mean())

    assert unevenness(Poisson(5.0)) == pytest.approx(1.0, abs=0.15)
    assert unevenness(Day(5.0, peak=1.9, period_seconds=200.0)) > 5
    assert unevenness(Bursts(2.0, 20.0, quiet_seconds=25.0, busy_seconds=5.0)) > 5


def test_lengths_have_the_mean_they_say() -> None:
    rng = np.random.default_rng(0)
    for lengths in (OfTexts(), LogNormal(6.0)):
        assert lengths.draw(50_000, rng).mean() == pytest.approx(lengths.mean_seconds, rel=0.02)


def test_between_measured_sizes_a_step_is_on_the_line_and_beyond_them_too() -> None:
    steps = StepModel({1: 0.01, 3: 0.02, 5: 0.06}, 0.08)
    assert [steps(n) for n in (1, 2, 3, 4, 5, 6)] == pytest.approx([0.01, 0.015, 0.02, 0.04, 0.06, 0.08])
    assert steps.keeps_up_with(100) == 6
    assert steps.speed(5) == pytest.approx(5 * 0.08 / 0.06)
