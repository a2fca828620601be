"""When what is said: subtitles as SRT and WebVTT, and chapters. Pure.

https://www.w3.org/TR/webvtt1/ ; chapters as JSON: https://podcastindex.org/namespace/1.0#chapters
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ttsops.render.script import RenderScript
from ttsops.render.state import TurnTime
from ttsops.speech import SAMPLE_RATE
from ttsops.text import split_sentences

MAX_CUE_CHARS = 84
"""Two lines of a subtitle."""

N_TITLE_CHARS = 60
"""Of a chapter that nobody named."""


@dataclass(frozen=True, slots=True)
class Cue:
    """One subtitle. Seconds from the beginning."""

    start: float
    end: float
    speaker: str
    """Empty where only one speaks."""

    text: str


def cues(script: RenderScript, times: Sequence[TurnTime]) -> Iterator[Cue]:
    """A turn in pieces of two lines; within a turn time goes by letters."""
    is_dialogue = len(script.speakers) > 1
    for turn, time in zip(script.turns, times, strict=True):
        pieces = [one.strip() for one in split_sentences(turn.text, max_chars=MAX_CUE_CHARS) if one.strip()]
        n_chars = sum(map(len, pieces))
        start, length = time.start / SAMPLE_RATE, (time.end - time.start) / SAMPLE_RATE
        if not n_chars or length <= 0:
            continue
        n_said = 0
        for piece in pieces:
            begins, n_said = start + length * n_said / n_chars, n_said + len(piece)
            ends = start + length * n_said / n_chars
            yield Cue(begins, ends, f"Speaker {turn.speaker}" if is_dialogue else "", piece)


def to_srt(found: Sequence[Cue]) -> str:
    """SubRip."""
    blocks = [
        f"{number}\n{_clock(cue.start, ',')} --> {_clock(cue.end, ',')}\n"
        f"{f'{cue.speaker}: ' if cue.speaker else ''}{cue.text}\n"
        for number, cue in enumerate(found, start=1)
    ]
    return "\n".join(blocks)


def to_vtt(found: Sequence[Cue]) -> str:
    """WebVTT, with a voice for each speaker."""
    blocks = ["WEBVTT\n"]
    for cue in found:
        text = cue.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        said = f"<v {cue.speaker}>{text}</v>" if cue.speaker else text
        blocks.append(f"{_clock(cue.start, '.')} --> {_clock(cue.end, '.')}\n{said}\n")
    return "\n".join(blocks)


def to_chapters(script: RenderScript, times: Sequence[TurnTime]) -> str:
    """JSON: the script's headings, or every turn if it has none."""
    titles = dict(script.chapters) or {
        at: f"Speaker {turn.speaker}: {turn.text[:N_TITLE_CHARS]}" for at, turn in enumerate(script.turns)
    }
    chapters = [
        {"startTime": round(times[at].start / SAMPLE_RATE, 3), "title": title} for at, title in titles.items()
    ]
    return json.dumps({"version": "1.2.0", "chapters": chapters}, ensure_ascii=False, indent=1) + "\n"


def _clock(seconds: float, point: str) -> str:
    ms = round(1000 * seconds)
    hours, rest = divmod(ms, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    whole, ms = divmod(rest, 1000)
    return f"{hours:02}:{minutes:02}:{whole:02}{point}{ms:03}"
