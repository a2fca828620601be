import pytest

from ttsops.runtime.breaker import Breaker
from ttsops.testing import VirtualClock

pytestmark = pytest.mark.unit


def opened() -> tuple[Breaker, VirtualClock]:
    clock = VirtualClock()
    breaker = Breaker(failures=3, open_seconds=5.0, clock=clock)
    assert [breaker.failed() for _ in range(3)] == [False, False, True]
    return breaker, clock


def test_it_opens_after_so_many_failures_in_a_row() -> None:
    breaker, _ = opened()
    assert breaker.is_open
    assert not breaker.enter()


def test_a_success_in_between_starts_the_count_again() -> None:
    breaker = Breaker(failures=2, open_seconds=5.0, clock=VirtualClock())
    breaker.failed()
    breaker.succeeded()
    assert not breaker.failed()
    assert breaker.enter()


def test_retry_after_counts_down() -> None:
    breaker, clock = opened()
    assert breaker.retry_after() == pytest.approx(5.0)
    clock.advance(3.5)
    assert breaker.retry_after() == pytest.approx(1.5)


def test_one_trial_passes_when_the_time_is_up_and_its_success_closes() -> None:
    breaker, clock = opened()
    clock.advance(5.0)
    assert breaker.enter()
    assert not breaker.enter(), "only one trial at a time"
    breaker.succeeded()
    assert breaker.enter()
    assert not breaker.is_open


def test_a_failed_trial_opens_it_once_more() -> None:
    breaker, clock = opened()
    clock.advance(5.0)
    assert breaker.enter()
    assert breaker.failed()
    assert breaker.retry_after() == pytest.approx(5.0)


def test_a_trial_that_never_reports_does_not_keep_everyone_out() -> None:
    breaker, clock = opened()
    clock.advance(5.0)
    assert breaker.enter()
    clock.advance(5.0)
    assert breaker.enter()
