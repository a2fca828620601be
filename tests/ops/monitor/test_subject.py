"""Who is measured, so that only like is compared with like."""

import subprocess
from pathlib import Path

import pytest

from ttsops.ops.monitor.subject import revision, subject_of
from ttsops.ops.monitor.suite import Suite
from ttsops.settings import EngineSettings, Settings

pytestmark = pytest.mark.unit


def tone(**options: float) -> Settings:
    return Settings(engine="tone", engines={"tone": EngineSettings(options=dict(options))})


def test_another_set_up_voice_or_suite_is_another_subject() -> None:
    keys = {
        subject_of(settings, suite).key
        for settings, suite in [
            (tone(), Suite()),
            (tone(rtf=0.1), Suite()),
            (tone(), Suite(voice="low")),
            (tone(), Suite(seed=2)),
            (Settings(), Suite()),
        ]
    }
    assert len(keys) == 5


def test_repeats_and_what_shapes_no_speed_change_nothing() -> None:
    one = subject_of(tone(rtf=0.1), Suite(repeats=3))
    assert one.key == subject_of(tone(rtf=0.1), Suite(repeats=9)).key
    assert one.machine


def test_a_checkout_tells_its_commit_and_whether_it_was_changed(tmp_path: Path) -> None:
    def git(*words: str) -> str:
        who = ("-c", "user.name=a", "-c", "user.email=a@b")
        done = subprocess.run(["git", "-C", str(tmp_path), *who, *words], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    git("init", "-q")
    (tmp_path / "file").write_text("a")
    git("add", "file")
    git("commit", "-qm", "first")
    commit = git("rev-parse", "--short=12", "HEAD")
    assert revision(tmp_path) == commit
    (tmp_path / "beside").write_text("untracked")
    assert revision(tmp_path) == commit
    (tmp_path / "file").write_text("b")
    assert revision(tmp_path) == f"{commit}+changed"


def test_outside_a_checkout_there_is_no_revision(tmp_path: Path) -> None:
    assert revision(tmp_path) == ""


def test_every_repeat_begins_with_another_text() -> None:
    suite = Suite(texts=("a", "b", "c"))
    assert [suite.order(number) for number in range(4)] == [(0, 1, 2), (1, 2, 0), (2, 0, 1), (0, 1, 2)]
