"""How many mel frames a chunk is given: a flow model fills whatever length it is told.

`duration_frames` is what the engine uses. `reference_duration` is the published pipeline's
(https://github.com/SWivid/F5-TTS, `infer/utils_infer.py`), which the recordings were made with. That one
counts bytes of UTF-8, which do not say how long a text of another script takes, and speaks what has fewer
than ten of them at a third of the pace, whatever was asked for: "Thanks." takes longer than "Thank you.".

Here the reference's pace is measured in spoken units, of which a Latin letter or blank is one. A chunk lasts
as long as its units at that pace, but never less than a word spoken alone does: `ALONE_SECONDS`, and
`UNIT_SECONDS` for each of its first `ALONE_UNITS` units, all of it divided by the speed asked for. That is at
least 0.2 s for every syllable of a short text. The figures are from the embedded voice, see
`python -m benchmarks.f5_durations`; what the model makes of them was not heard yet, for want of weights.
Abbreviations that are spelled ("FBI") and other words that are longer than they look get no extra time.
"""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import dataclass

from ttsops.engines.f5.chunks import n_bytes

SAMPLE_RATE = 24_000
HOP = 256
"""Samples of a mel frame."""

FRAMES_PER_SECOND = SAMPLE_RATE / HOP

ALONE_SECONDS = 0.4
UNIT_SECONDS = 0.05
ALONE_UNITS = 32
"""What a word or short phrase takes by itself; about 1.5 times what the embedded voice needs."""

PAUSE_UNITS = 4
_PAUSES = frozenset(",;:.!?，；：、。！？…")
"""A mark inside of a short text is a pause, which its reference need not have had."""

_DIGIT = 5.0
_WEIGHTS = (
    (0x0000, 1.0),
    (0x0300, 0.0),  # combining accents
    (0x0370, 1.0),
    (0x0590, 1.25),  # Hebrew
    (0x0600, 1.75),  # Arabic, written without most of its vowels
    (0x0700, 1.0),
    (0x0900, 1.25),  # Devanagari
    (0x0980, 1.0),
    (0x0E00, 2.0),  # Thai
    (0x0E80, 1.0),
    (0x200B, 0.0),  # joiners
    (0x2010, 1.0),
    (0x2E80, 4.0),  # Chinese: a character is a syllable, a full-width mark a pause
    (0x3040, 2.0),  # kana
    (0x3100, 4.0),
    (0xA000, 1.0),
    (0xAC00, 3.0),  # Hangul
    (0xD7B0, 1.0),
    (0xF900, 4.0),
    (0xFB00, 1.0),
    (0xFE00, 0.0),  # variants of the character before
    (0xFE10, 4.0),
    (0xFE50, 1.0),
    (0xFF00, 4.0),
    (0xFFF0, 1.0),
    (0x20000, 4.0),
    (0x40000, 1.0),
)
"""From this code point on, a character has so many units."""

_STARTS = [start for start, _ in _WEIGHTS]

HURRIED_BYTES, HURRIED_SPEED = 10, 0.3
"""The published pipeline speaks a chunk of fewer bytes at this speed, whatever was asked for."""


@dataclass(frozen=True, slots=True)
class VoicePace:
    """How fast a voice's reference is spoken."""

    transcript: str
    """What is said in it; not empty."""

    frames: int
    """Its whole mel frames: samples at 24 kHz // 256."""

    @property
    def frames_per_unit(self) -> float:
        """Frames that a Latin letter takes."""
        return self.frames / spoken_units(with_blank(self.transcript))


def spoken_units(text: str) -> float:
    """How long it takes to say `text`, measured in letters of Latin script."""
    return sum(map(_units, text))


def duration_frames(text: str, pace: VoicePace, speed: float = 1.0) -> int:
    """Frames of reference and speech together for a chunk. Before the sampler's own bounds.

    `speed` 2 speaks twice as fast. No longer text ever gets fewer frames, and no higher speed more.
    """
    units = spoken_units(text)
    alone_units = min(units + PAUSE_UNITS * sum(one in _PAUSES for one in text[:-1]), ALONE_UNITS)
    alone = (ALONE_SECONDS + UNIT_SECONDS * alone_units) * FRAMES_PER_SECOND
    return pace.frames + int(max(pace.frames_per_unit * units, alone) / speed)


def reference_duration(
    chunks: Sequence[str],
    ref_text: str,
    ref_samples: int,
    *,
    speed: float = 1.0,
    fix_duration: float | None = None,
    cross_fade_duration: float = 0.15,
) -> list[int]:
    """Frames of reference and speech together for each chunk, as the published pipeline computes them.

    `ref_samples` is the reference's length at 24 kHz; `ref_text` its transcript, to which a blank is added
    after a character of one byte. `fix_duration` is what reference and all speech last in seconds, when
    chunks are cross-faded over `cross_fade_duration` seconds. Before the sampler's own bounds.
    """
    ref_frames = ref_samples // HOP
    if fix_duration is not None:
        return [
            int(seconds * SAMPLE_RATE / HOP)
            for seconds in _shares(chunks, ref_frames * HOP / SAMPLE_RATE, fix_duration, cross_fade_duration)
        ]
    frames_per_byte = ref_frames / n_bytes(with_blank(ref_text))
    return [
        ref_frames
        + int(frames_per_byte * n_bytes(chunk) / (HURRIED_SPEED if n_bytes(chunk) < HURRIED_BYTES else speed))
        for chunk in chunks
    ]


def with_blank(ref_text: str) -> str:
    """The transcript as it is put before a chunk's text."""
    return f"{ref_text} " if n_bytes(ref_text[-1:]) == 1 else ref_text


def _shares(
    chunks: Sequence[str], ref_seconds: float, fix_duration: float, cross_fade_duration: float
) -> list[float]:
    """The generated seconds are shared out by bytes, and every cross-fade is made up for."""
    if len(chunks) == 1:
        return [fix_duration]
    weights = [n_bytes(chunk) for chunk in chunks]
    to_share = fix_duration - ref_seconds + cross_fade_duration * (len(chunks) - 1)
    return [ref_seconds + to_share * weight / sum(weights) for weight in weights]


def _units(character: str) -> float:
    if character.isdecimal():
        return _DIGIT
    return _WEIGHTS[bisect.bisect_right(_STARTS, ord(character)) - 1][1]
