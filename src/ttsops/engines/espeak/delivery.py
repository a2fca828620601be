"""From a request's factors to the library's units: words per minute, pitch steps, gaps between words."""

from __future__ import annotations

import bisect
import math

from ttsops.engines.espeak.library import MIN_WORDS_PER_MINUTE, Delivery

# (speed, words per minute): how much shorter six texts in English, German and French become than at 175, the
# library's own rate, on average; one text may be 10 % off. Its number is not proportional: it shortens pauses
# and vowels by different tables, and above 450 it time-stretches.
_PACE = (
    (0.473, 80),
    (0.562, 100),
    (0.678, 120),
    (0.798, 140),
    (0.913, 160),
    (1.000, 175),
    (1.143, 200),
    (1.425, 250),
    (1.712, 300),
    (2.033, 350),
    (2.291, 400),
    (2.550, 450),
    (2.840, 500),
    (3.415, 600),
    (4.563, 800),
)
_SLOWEST = _PACE[0][0]

_WORD_SECONDS = 0.286
"""A word and its share of the pauses at speed 1, in the same texts."""

_GAP_SECONDS = 0.032
"""One unit of word gap at the slowest rate."""


PITCH_STEPS = 62
"""To the octave: measured as the median pitch of three voices, within 5 %."""


def to_delivery(voice: str, speed: float, pitch: float) -> Delivery:
    """`voice` is the library's name; `speed` and `pitch` are factors on its own."""
    return Delivery(voice, _to_rate(speed), _to_pitch(pitch), _to_pitch_range(pitch), _to_gap(speed))


def _to_rate(speed: float) -> int:
    speeds = [one for one, _ in _PACE]
    i = min(max(bisect.bisect_right(speeds, speed), 1), len(_PACE) - 1)
    (low, low_rate), (high, high_rate) = _PACE[i - 1], _PACE[i]
    rate = low_rate + (speed - low) / (high - low) * (high_rate - low_rate)
    return max(MIN_WORDS_PER_MINUTE, round(rate))


def _to_pitch(factor: float) -> int:
    """Its 100 steps reach from 0.6 to 1.8 times the voice's pitch; a factor beyond that gets the nearest."""
    return min(max(round(50 + PITCH_STEPS * math.log2(factor)), 0), 100)


def _to_pitch_range(factor: float) -> int:
    """Intonation in proportion: left alone, it would pull the pitch back to the voice's own."""
    return min(max(round(50 * factor), 0), 100)


def _to_gap(speed: float) -> int:
    """Below the slowest rate the words stay as they are, and silence between them makes up the time."""
    return max(0, round((1 / speed - 1 / _SLOWEST) * _WORD_SECONDS / _GAP_SECONDS))
