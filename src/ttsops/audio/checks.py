"""Checks on what leaves: is it finite, loud enough, centred, unclipped, without holes.

Levels are in dBFS: 0 is full scale (1.0). Loudness as people hear it is not judged here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ttsops.errors import AudioError, BadAudio
from ttsops.speech import Samples

FULL_SCALE = 32767 / 32768
"""The largest sample 16 bits can hold."""

SILENCE_DBFS = -60.0
"""A window whose peak is below this is silent."""

WINDOW_SECONDS = 0.01

MAX_DC_OFFSET = 0.02
MAX_CLIPPED_SHARE = 0.001
MIN_GAP_SECONDS = 0.005
EDGE_SECONDS = 0.001
EDGE_DBFS = -40.0
"""A hole is a run of zeros of this length, with a peak of this level within this time on both sides."""


@dataclass(frozen=True, slots=True)
class AudioReport:
    """What `check_audio` measured."""

    n_samples: int
    seconds: float
    n_not_finite: int
    """NaN and infinite samples; the levels below leave them out."""

    peak_dbfs: float
    """Largest sample; -inf if all are zero."""

    rms_dbfs: float
    dc_offset: float
    """Mean, as a share of full scale; signed."""

    n_clipped: int
    """Samples at or above full scale."""

    silent_share: float
    """0 to 1: windows of 10 ms whose peak is below -60 dBFS."""

    leading_silence_seconds: float
    """Silent windows before the first that is not; the whole length if none is."""

    trailing_silence_seconds: float
    longest_gap_seconds: float
    """Longest hole in the sound: see `longest_gap`."""

    @property
    def is_finite(self) -> bool:
        """True if no sample is NaN or infinite."""
        return not self.n_not_finite

    @property
    def problems(self) -> tuple[str, ...]:
        """What a listener would complain about, one sentence each; empty if nothing."""
        found = []
        if self.n_not_finite:
            found.append(f"{self.n_not_finite} samples are not finite")
        if self.silent_share == 1.0:
            found.append("there is only silence")
        if abs(self.dc_offset) > MAX_DC_OFFSET:
            found.append(f"the mean is {self.dc_offset:+.3f} of full scale, not 0")
        if self.n_clipped > MAX_CLIPPED_SHARE * self.n_samples:
            found.append(f"{self.n_clipped} samples are clipped")
        if self.longest_gap_seconds:
            found.append(f"{self.longest_gap_seconds * 1000:.0f} ms of speech are missing")
        return tuple(found)


def require_finite(samples: Samples) -> None:
    """Raise `BadAudio` if a sample is NaN or infinite: such samples must not leave."""
    if not np.isfinite(samples).all():
        n_bad = int(np.count_nonzero(~np.isfinite(samples)))
        raise BadAudio(f"{n_bad} of {len(samples)} samples are not finite")


def to_dbfs(amplitude: float) -> float:
    """Level of an amplitude; -inf for 0."""
    return 20 * math.log10(amplitude) if amplitude > 0 else -math.inf


def from_dbfs(dbfs: float) -> float:
    """Amplitude of a level."""
    return float(10 ** (dbfs / 20))


def check_audio(samples: Samples, sample_rate: int) -> AudioReport:
    """Measure samples [N]; raises `AudioError` if there are none."""
    if not len(samples):
        raise AudioError("there are no samples to check")
    finite = np.isfinite(samples)
    n_not_finite = int(len(samples) - np.count_nonzero(finite))
    if n_not_finite:
        samples = np.where(finite, samples, np.float32(0))
    magnitudes = np.abs(samples)
    silent = _silent_windows(magnitudes, sample_rate)
    sounding = np.flatnonzero(~silent)
    seconds = len(samples) / sample_rate
    window_seconds = _window(sample_rate) / sample_rate
    return AudioReport(
        n_samples=len(samples),
        seconds=seconds,
        n_not_finite=n_not_finite,
        peak_dbfs=to_dbfs(float(magnitudes.max())),
        rms_dbfs=to_dbfs(math.sqrt(float(np.mean(np.square(samples, dtype=np.float64))))),
        dc_offset=float(np.mean(samples, dtype=np.float64)),
        n_clipped=int(np.count_nonzero(magnitudes >= FULL_SCALE)),
        silent_share=float(np.mean(silent)),
        leading_silence_seconds=float(sounding[0] * window_seconds) if len(sounding) else seconds,
        trailing_silence_seconds=max(0.0, seconds - float(sounding[-1] + 1) * window_seconds)
        if len(sounding)
        else seconds,
        longest_gap_seconds=longest_gap(samples, sample_rate) / sample_rate,
    )


def longest_gap(samples: Samples, sample_rate: int) -> int:
    """Samples of the longest hole: exact zeros for at least 5 ms, with sound cut off right before and after.

    A lost or late piece that was filled up looks like this. A pause does not: even where it is exactly zero,
    as formant synthesis makes it, the sound fades into it.
    """
    sounding = np.flatnonzero(samples)
    runs = np.diff(sounding) - 1
    edge = max(1, round(EDGE_SECONDS * sample_rate))
    longest = 0
    for index in np.flatnonzero(runs >= MIN_GAP_SECONDS * sample_rate):
        first, last = sounding[index] + 1, sounding[index + 1]
        before, after = samples[max(0, first - edge) : first], samples[last : last + edge]
        if min(np.abs(before).max(), np.abs(after).max()) > from_dbfs(EDGE_DBFS):
            longest = max(longest, int(runs[index]))
    return longest


def normalise_peak(samples: Samples, dbfs: float = -1.0) -> Samples:
    """A copy of samples [N] whose peak is at `dbfs`; silence stays silence. Raises `BadAudio`."""
    require_finite(samples)
    peak = float(np.abs(samples).max(initial=0.0))
    if not peak:
        return samples.copy()
    # In double: the gain of a peak near the smallest float32 is beyond the largest one.
    return (samples.astype(np.float64) * (from_dbfs(dbfs) / peak)).astype(np.float32)


def _window(sample_rate: int) -> int:
    return max(1, round(WINDOW_SECONDS * sample_rate))


def _silent_windows(magnitudes: Samples, sample_rate: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """For each window, the last of which may be short: is its peak below the threshold."""
    starts = np.arange(0, len(magnitudes), _window(sample_rate))
    peaks = np.maximum.reduceat(magnitudes, starts)
    return np.asarray(peaks < from_dbfs(SILENCE_DBFS))
