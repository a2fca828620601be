"""Whole runs, with a test engine whose pace is set."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from ttsops.ops.monitor import Plan, Run, read_history, run_monitor
from ttsops.ops.monitor.run import MAX_ROUNDS, prepare_settings
from ttsops.ops.monitor.suite import Suite
from ttsops.settings import EngineSettings, MonitorSettings, Settings

pytestmark = pytest.mark.server

SUITE = Suite(texts=("Sixteen letters.", "Now it is twenty-four..."), repeats=3)


def tone(rtf: float, **options: Any) -> Settings:
    setup = EngineSettings(options={"rtf": rtf, "chunk_seconds": 0.24, **options})
    limits = MonitorSettings(min_runs=1)
    return prepare_settings(Settings(engine="tone", engines={"tone": setup}, monitor=limits))


def monitor(path: Path, *, rtf: float = 0.2, **changes: Any) -> Run:
    """The settings say an RTF of 0.2; what is run has `rtf`, as after a bad build."""
    plan = Plan(history=path, suite=SUITE, with_predictions=False, measured=tone(rtf), **changes)
    return asyncio.run(run_monitor(tone(0.2), plan))


def test_a_tenth_and_a_half_slower_is_a_regression_and_a_thirtieth_is_none(tmp_path: Path) -> None:
    path = tmp_path / "monitor.jsonl"
    assert monitor(path).verdict.word == "ok"
    a_little = monitor(path, rtf=0.2 * 1.03)
    assert a_little.verdict.word == "ok", a_little.verdict.reasons
    much = monitor(path, rtf=0.2 * 1.15)
    assert (much.verdict.word, much.verdict.rounds) == ("regression", MAX_ROUNDS)
    assert much.verdict.slowdown == pytest.approx(0.15, abs=0.04)
    assert read_history(path).runs[-1] == much


def test_a_run_tells_what_it_measured(tmp_path: Path) -> None:
    figures = monitor(tmp_path / "monitor.jsonl").figures
    assert figures.rtf_best == pytest.approx(0.2, rel=0.15)
    assert figures.takes >= SUITE.repeats * len(SUITE.texts)
    assert figures.worker_bytes
    assert figures.worker_bytes > 10 * 2**20
    assert figures.ttfa is not None
    assert figures.ttfa >= 0.2 * 0.24
    assert figures.cpu_share is not None
    assert figures.cpu_share < 0.9
    assert figures.sound_problems == ()


def test_an_engine_that_crashes_is_a_regression_with_its_code(tmp_path: Path) -> None:
    plan = Plan(
        history=tmp_path / "monitor.jsonl",
        suite=SUITE,
        with_predictions=False,
        measured=tone(0.01, fail_after_steps=12),
    )
    run = asyncio.run(run_monitor(tone(0.01), plan))
    assert run.verdict.word == "regression"
    assert run.verdict.rounds == 1
    assert "engine_failed" in run.verdict.reasons[0]
