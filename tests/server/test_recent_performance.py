import pytest

from ttsops.server.health import WINDOW_SECONDS, RecentPerformance
from ttsops.testing.clock import VirtualClock

pytestmark = pytest.mark.unit


def test_success_is_what_we_could_have_done_better() -> None:
    recent = RecentPerformance(VirtualClock())
    for outcome in ("ok", "ok", "ok", "failed", "rejected", "busy", "ended"):
        recent.add(outcome, rtf=None, first_chunk_seconds=None)  # type: ignore[arg-type]
    summary = recent.summary()
    assert summary.success_rate == pytest.approx(0.75)
    assert summary.utterances == 7


def test_nothing_said_is_no_figure() -> None:
    summary = RecentPerformance(VirtualClock()).summary()
    assert (summary.success_rate, summary.rtf.p50, summary.first_chunk_seconds.p95) == (None, None, None)


def test_half_are_below_the_median_and_one_in_twenty_above_the_95th() -> None:
    recent = RecentPerformance(VirtualClock())
    for value in range(100, 0, -1):
        recent.add("ok", rtf=value / 100, first_chunk_seconds=None)
    rtf = recent.summary().rtf
    assert (rtf.p50, rtf.p95) == (0.51, 0.96)


def test_what_is_long_ago_is_forgotten() -> None:
    clock = VirtualClock()
    recent = RecentPerformance(clock)
    recent.add("failed", rtf=None, first_chunk_seconds=None)
    clock.advance(WINDOW_SECONDS / 2)
    recent.add("ok", rtf=0.1, first_chunk_seconds=0.2)
    clock.advance(WINDOW_SECONDS / 2 + 1)
    summary = recent.summary()
    assert summary.utterances == 1
    assert summary.success_rate == 1.0
