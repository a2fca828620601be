"""Subtitles and chapters from when turns are heard."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest

from ttsops.render import read_render_script
from ttsops.render.captions import MAX_CUE_CHARS, cues, to_chapters, to_srt, to_vtt
from ttsops.render.state import TurnTime

pytestmark = pytest.mark.unit

SCRIPT = read_render_script("Speaker 1: Fish & chips <hot>.\nSpeaker 2: " + "Every boat was out at sea. " * 8)
TIMES = [TurnTime(0, 24_000), TurnTime(36_000, 36_000 + 20 * 24_000)]


def test_cues_fit_two_lines_and_fill_their_turn() -> None:
    found = list(cues(SCRIPT, TIMES))
    assert all(len(cue.text) <= MAX_CUE_CHARS for cue in found)
    assert found[0].start == 0
    assert found[0].end == pytest.approx(1.0)
    assert found[1].start == pytest.approx(1.5)
    assert found[-1].end == pytest.approx(21.5)
    for one, other in pairwise(found[1:]):
        assert one.end == pytest.approx(other.start)
    said = " ".join(cue.text for cue in found[1:])
    assert said.split() == SCRIPT.turns[1].text.split()


def test_srt_counts_from_one_and_has_commas() -> None:
    lines = to_srt(list(cues(SCRIPT, TIMES))).split("\n")
    assert lines[:3] == ["1", "00:00:00,000 --> 00:00:01,000", "Speaker 1: Fish & chips <hot>."]


def test_vtt_names_voices_and_escapes() -> None:
    text = to_vtt(list(cues(SCRIPT, TIMES)))
    assert text.startswith("WEBVTT\n\n00:00:00.000 --> 00:00:01.000\n")
    assert "<v Speaker 1>Fish &amp; chips &lt;hot&gt;.</v>" in text


def test_long_recordings_have_hours() -> None:
    late = [TurnTime(0, 24_000), TurnTime(24_000 * 7265, 24_000 * 7266)]
    assert "02:01:05,000 --> " in to_srt(list(cues(SCRIPT, late)))


def test_chapters_are_headings_or_else_turns() -> None:
    named = read_render_script("# One\nSpeaker 1: a\nSpeaker 2: b\n# Two\nSpeaker 1: c")
    times = [TurnTime(0, 24_000), TurnTime(24_000, 48_000), TurnTime(48_000, 72_000)]
    assert json.loads(to_chapters(named, times))["chapters"] == [
        {"startTime": 0.0, "title": "One"},
        {"startTime": 2.0, "title": "Two"},
    ]
    assert [one["title"][:12] for one in json.loads(to_chapters(SCRIPT, TIMES))["chapters"]] == [
        "Speaker 1: F",
        "Speaker 2: E",
    ]


def test_a_turn_that_is_not_heard_has_no_subtitle() -> None:
    silent = [TurnTime(0, 0), TIMES[1]]
    assert next(cues(SCRIPT, silent)).speaker == "Speaker 2"
