"""The verdict: what is a regression and what is not."""

from typing import Any

import pytest

from ops.monitor.runs import figures, run
from ttsops.ops.monitor import judge
from ttsops.settings import MonitorSettings

pytestmark = pytest.mark.unit

BEFORE = [run(rtf_best=value) for value in (0.098, 0.1, 0.1, 0.102, 0.3)]
"""The median is 0.1, whatever one bad night says."""


@pytest.mark.parametrize(
    ("rtf_best", "word"), [(0.05, "ok"), (0.1, "ok"), (0.103, "ok"), (0.1099, "ok"), (0.111, "regression")]
)
def test_more_than_a_tenth_slower_than_the_median_is_a_regression(rtf_best: float, word: str) -> None:
    verdict = judge(figures(rtf_best=rtf_best), BEFORE, MonitorSettings(), is_live=True)
    assert verdict.word == word
    assert verdict.slowdown == pytest.approx(rtf_best / 0.1 - 1)
    assert verdict.compared_runs == 5


def test_the_reason_has_both_figures_and_the_limit_in_one_line() -> None:
    (reason,) = judge(figures(rtf_best=0.12), BEFORE, MonitorSettings(), is_live=True).reasons
    assert reason == "20.0% slower than the median of 5 runs (best RTF 0.12, was 0.1), limit 10%"


def test_with_too_few_runs_nothing_is_compared_and_that_is_told() -> None:
    verdict = judge(figures(rtf_best=0.9), BEFORE[:2], MonitorSettings(), is_live=True)
    assert (verdict.word, verdict.slowdown) == ("ok", None)
    assert verdict.notes == ("2 earlier runs to compare with, 3 are needed",)


@pytest.mark.parametrize(
    ("cpu_share", "word"),
    [(1.0, "ok"), (0.9, "ok"), (0.2, "regression"), (0.0, "regression"), (None, "regression")],
)
def test_a_slower_machine_is_allowed_for_as_far_as_the_engine_computes(
    cpu_share: float | None, word: str
) -> None:
    slow = figures(rtf_best=0.125, pace_seconds=0.0125, cpu_share=cpu_share)
    verdict = judge(slow, BEFORE, MonitorSettings(), is_live=True)
    assert verdict.word == word
    assert verdict.machine_slowdown == pytest.approx(0.25)
    assert any("as is the machine" in note for note in verdict.notes) == (word == "ok")


def test_a_faster_machine_excuses_nothing_and_accuses_of_nothing() -> None:
    fast = figures(rtf_best=0.1, pace_seconds=0.005, cpu_share=1.0)
    assert judge(fast, BEFORE, MonitorSettings(), is_live=True).slowdown == pytest.approx(0.0)


@pytest.mark.parametrize(
    ("limits", "changes", "told"),
    [
        ({}, {"rtf_mean": 1.2}, "mean RTF is 1.2, limit 1"),
        ({"max_rtf_mean": 0.1}, {}, "mean RTF is 0.11, limit 0.1"),
        ({"max_rtf": 0.15}, {}, "highest RTF is 0.2, limit 0.15"),
        ({"max_rtf_deviation": 0.04}, {}, "deviation of RTF is 0.05, limit 0.04"),
        ({"max_wer": 0.3}, {"wer": 0.4}, "word error rate is 0.4, limit 0.3"),
        ({"min_mos": 3.5}, {"mos": 3.21}, "predicted opinion is 3.21, at least 3.5 is wanted"),
        ({}, {"sound_problems": ("a gap",)}, "1 faults in the audio, limit 0; the first: a gap"),
        ({}, {"errors": ("no_eos", "no_eos")}, "2 of 9 utterances failed (no_eos)"),
        ({}, {"rtf_mean": None, "rtf_best": None}, "nothing was spoken"),
    ],
)
def test_each_limit_that_is_broken_is_a_regression(
    limits: dict[str, Any], changes: dict[str, Any], told: str
) -> None:
    verdict = judge(figures(**changes), (), MonitorSettings(**limits), is_live=True)
    assert (verdict.word, verdict.reasons) == ("regression", (told,))


def test_what_was_not_measured_breaks_no_limit() -> None:
    limits = MonitorSettings(min_mos=4.0, max_wer=0.1, max_sound_problems=1)
    assert judge(figures(sound_problems=("a gap",)), (), limits, is_live=True).word == "ok"


def test_an_engine_that_makes_files_may_be_slower_than_playback() -> None:
    assert judge(figures(rtf_mean=7.0), (), MonitorSettings(), is_live=False).word == "ok"
