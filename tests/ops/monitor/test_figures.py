"""From takes to figures."""

import numpy as np
import pytest

from ttsops.ops.monitor.figures import score_audio, summarise
from ttsops.ops.monitor.measure import Take, Takes
from ttsops.ops.monitor.suite import Suite

pytestmark = pytest.mark.unit


def take(text: int, steps: tuple[float, ...], *, audio_seconds: float = 2.0) -> Take:
    return Take(text, audio_seconds, sum(steps), steps, ttfb=0.1, ttfa=0.2)


def takes(*found: Take) -> Takes:
    return Takes(list(found), pace_seconds=[0.02, 0.01, 0.03], worker_bytes=5, load_seconds=1.5)


def test_each_step_counts_as_it_took_in_its_fastest_repeat() -> None:
    figures = summarise(takes(take(0, (0.1, 0.4)), take(0, (0.3, 0.1)), take(1, (0.2, 0.2))), ())
    assert figures.rtf_best == pytest.approx(((0.1 + 0.1) / 2 + 0.4 / 2) / 2)
    assert figures.rtf_mean == pytest.approx((0.25 + 0.2 + 0.2) / 3)
    assert figures.rtf_max == pytest.approx(0.25)
    assert figures.pace_seconds == 0.01


@pytest.mark.parametrize("other", [(0.1, 0.1, 0.1), ()])
def test_repeats_that_took_other_steps_count_as_a_whole(other: tuple[float, ...]) -> None:
    found = takes(take(0, (0.1, 0.3)), Take(0, 2.0, 0.3, other))
    assert summarise(found, ()).rtf_best == pytest.approx(0.15)


def test_deviation_is_that_of_repeats_not_of_texts() -> None:
    steady = takes(take(0, (0.1,)), take(0, (0.1,)), take(1, (0.5,)), take(1, (0.5,)))
    assert summarise(steady, ()).rtf_deviation == 0.0
    restless = takes(take(0, (0.09,)), take(0, (0.11,)))
    assert summarise(restless, ()).rtf_deviation == pytest.approx(0.1)


def test_of_one_repeat_there_is_no_deviation() -> None:
    assert summarise(takes(take(0, (0.1,)), take(1, (0.2,))), ()).rtf_deviation is None


def test_takes_that_failed_are_told_and_measured_nowhere() -> None:
    figures = summarise(takes(take(0, (0.1,)), Take(1, error="engine_hung")), ())
    assert (figures.takes, figures.errors, figures.audio_seconds) == (2, ("engine_hung",), 2.0)
    nothing = summarise(takes(Take(0, error="no_audio")), ())
    assert (nothing.rtf_mean, nothing.rtf_best, nothing.ttfa) == (None, None, None)


def test_the_share_of_the_cpu_is_no_more_than_all_of_it() -> None:
    found = takes(take(0, (0.5,)))
    assert summarise(found, ()).cpu_share is None
    found.cpu_seconds = 0.1
    assert summarise(found, ()).cpu_share == pytest.approx(0.2)
    found.cpu_seconds = 3.0
    assert summarise(found, ()).cpu_share == 1.0


def test_a_dropout_in_the_audio_is_a_fault() -> None:
    wave = (0.4 * np.sin(np.arange(48_000) * 0.05)).astype(np.float32)
    broken = wave.copy()
    broken[20_000:21_000] = 0.0
    found = takes(take(0, (0.1,)))
    found.audio = {0: wave, 1: broken}
    scores = score_audio(found, Suite(texts=("a", "b")), with_predictions=False, on_load=lambda _: None)
    (problem,) = summarise(found, scores).sound_problems
    assert "1 dropouts" in problem
    assert summarise(found, scores).mos is None
