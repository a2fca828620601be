"""What a trained predictor does not hear: dropouts inside speech, clipping, an offset, pauses.

A dropout is sound that is cut off and comes back within the same word, as when a piece was lost. It differs
from a pause or the closure of a plosive in its edges: those take a millisecond at least, a cut takes one
sample. `ttsops.audio.check_audio` finds exact zeros in what was just made; this reads files, whose silence
may be dithered, and says where.

Not found: a cut that falls on a zero crossing (about one in eight), and any cut in a file that went through a
lossy codec or a resampler after it, which round the edges off.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
import numpy as np

from ttsops.audio import check_audio
from ttsops.audio.checks import from_dbfs
from ttsops.speech import Samples

PIECE_SECONDS = 0.001
SPEECH_PERCENTILE = 95
"""The speech level is the peak that this share of the sounding milliseconds do not exceed."""

PAUSE_BELOW_SPEECH_DB = 50.0
MIN_PAUSE_SECONDS = 0.15

DROPOUT_DBFS = -80.0
"""A dropout holds nothing above this: three steps of 16 bits, as dither leaves them."""

EDGE_BELOW_SPEECH_DB = 32.0
EDGE_SECONDS = 0.000125
"""The sound has this level this near to a cut, on both sides. Chosen on 180 s of formant synthesis, whose
closures are the sharpest there are: no false alarm there, and 94 of 108 cuts found."""

MIN_DROPOUT_SECONDS = 0.004
MAX_DROPOUT_SECONDS = 1.0

MAX_LISTED = 20
"""Dropouts whose place is told; all are counted."""


class SoundReport(msgspec.Struct, frozen=True):
    """What one file sounds like. Times are seconds."""

    seconds: float
    peak_dbfs: float | None
    """None if all is zero: JSON has no infinity."""

    dc_offset: float
    """Mean, as a share of full scale."""

    clipped_samples: int
    """At or above full scale."""

    dropouts: int
    dropout_seconds: float
    """All together."""

    dropouts_at: tuple[float, ...]
    """Where the first 20 begin."""

    pauses: int
    """Silences of at least 0.15 s between the first sound and the last."""

    longest_pause_seconds: float
    leading_silence_seconds: float
    trailing_silence_seconds: float
    problems: tuple[str, ...]
    """What a listener would complain about, a sentence each."""


@dataclass(frozen=True, slots=True)
class Dropout:
    """Where sound is missing, in samples."""

    start: int
    length: int


def measure_sound(samples: Samples, sample_rate: int) -> SoundReport:
    """Measure samples [N]; raises `AudioError` if there are none."""
    report = check_audio(samples, sample_rate)
    finite = np.nan_to_num(samples, posinf=0.0, neginf=0.0)
    dropouts = find_dropouts(finite, sample_rate)
    pauses = _pauses(finite, sample_rate)
    lost = sum(one.length for one in dropouts) / sample_rate
    problems = [one for one in report.problems if "missing" not in one]
    if dropouts:
        first = dropouts[0].start / sample_rate
        problems.append(f"{len(dropouts)} dropouts, {lost * 1000:.0f} ms in all, the first at {first:.2f} s")
    return SoundReport(
        seconds=report.seconds,
        peak_dbfs=report.peak_dbfs if math.isfinite(report.peak_dbfs) else None,
        dc_offset=report.dc_offset,
        clipped_samples=report.n_clipped,
        dropouts=len(dropouts),
        dropout_seconds=lost,
        dropouts_at=tuple(one.start / sample_rate for one in dropouts[:MAX_LISTED]),
        pauses=len(pauses),
        longest_pause_seconds=max(pauses, default=0.0),
        leading_silence_seconds=report.leading_silence_seconds,
        trailing_silence_seconds=report.trailing_silence_seconds,
        problems=tuple(problems),
    )


def find_dropouts(samples: Samples, sample_rate: int) -> list[Dropout]:
    """Silences of 4 ms to 1 s with sound cut off right before and right after, in samples [N]."""
    magnitudes = np.abs(samples)
    level = _speech_level(_peaks(magnitudes, sample_rate)) * from_dbfs(-EDGE_BELOW_SPEECH_DB)
    edge = max(1, round(EDGE_SECONDS * sample_rate))
    sounding = np.flatnonzero(magnitudes > from_dbfs(DROPOUT_DBFS))
    lengths = np.diff(sounding) - 1
    is_long = (lengths >= MIN_DROPOUT_SECONDS * sample_rate) & (lengths <= MAX_DROPOUT_SECONDS * sample_rate)
    found = []
    for index in np.flatnonzero(is_long):
        first, last = int(sounding[index]) + 1, int(sounding[index + 1])
        before, after = magnitudes[max(0, first - edge) : first], magnitudes[last : last + edge]
        if min(before.max(), after.max()) > level:
            found.append(Dropout(first, last - first))
    return found


def _pauses(samples: Samples, sample_rate: int) -> list[float]:
    """Seconds of each silence between two sounds that is long enough to be heard as one."""
    peaks = _peaks(np.abs(samples), sample_rate)
    audible = np.flatnonzero(peaks > _speech_level(peaks) * from_dbfs(-PAUSE_BELOW_SPEECH_DB))
    piece = _piece(sample_rate) / sample_rate
    return list(_long((np.diff(audible) - 1) * piece))


def _long(seconds: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Iterator[float]:
    return (float(one) for one in seconds if one >= MIN_PAUSE_SECONDS)


def _speech_level(peaks: Samples) -> float:
    """Of the sounding pieces only: a recording may be mostly pause."""
    sounding = peaks[peaks > from_dbfs(DROPOUT_DBFS)]
    return float(np.percentile(sounding, SPEECH_PERCENTILE)) if len(sounding) else 1.0


def _peaks(magnitudes: Samples, sample_rate: int) -> Samples:
    return np.asarray(np.maximum.reduceat(magnitudes, np.arange(0, len(magnitudes), _piece(sample_rate))))


def _piece(sample_rate: int) -> int:
    return max(1, round(PIECE_SECONDS * sample_rate))
