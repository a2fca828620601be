"""Silence cut out of a reference recording, as F5-TTS does it before it clones a voice.

The published pipeline cuts with pydub (https://github.com/jiaaro/pydub, `silence.py`), and a model hears what
that left over: the same samples must come out here. So times are whole milliseconds, loudness is an integer,
and no output has a rate below that of pydub's own silence.
"""

from __future__ import annotations

import itertools
import math
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Pcm: TypeAlias = "npt.NDArray[np.int16]"
"""Samples [N], or frames [N, channels]."""

FULL_SCALE = 32768

LEAST_RATE = 11025
"""Hertz of the silence that everything is joined to: nothing that comes out has a lower rate."""

MAX_MS = 12_000
"""Longest reference."""

ENOUGH_MS = 6_000
"""Once so much is collected, a segment that would exceed `MAX_MS` is left out with all after it."""

KEPT_MS = 1_000
"""Silence left around every segment."""

TAIL_MS = 50
"""Silence put at the end."""

LONG_PAUSE = (1000, -50.0)
SHORT_PAUSE = (100, -40.0)
"""What a pause is: milliseconds at least, and its loudness in dBFS at most."""

EDGE_DBFS = -42.0
_STEP_MS = 10


def trim_reference(pcm: Pcm, sample_rate: int) -> tuple[Pcm, int]:
    """A recording without long pauses and silent edges, of at most 12 s and 50 ms of silence; and its rate.

    `pcm` is int16 [N] or [N, channels]; what comes out has as many dimensions. Pauses of a second below
    -50 dBFS are cut down; if more than 12 s are left, so are those of 100 ms below -40 dBFS; if still more,
    the rest is cut off. A rate below 11 025 Hz is raised to that, by straight lines. Of nothing but silence
    only the tail is left: callers have to refuse that.
    """
    whole = _Sound(pcm[:, None] if pcm.ndim == 1 else pcm, sample_rate)
    kept = _without_pauses(whole, *LONG_PAUSE)
    if kept.ms > MAX_MS:
        kept = _without_pauses(whole, *SHORT_PAUSE)
    if kept.ms > MAX_MS:
        kept = kept.cut(0, MAX_MS)
    kept = _without_edges(kept).followed_by(_silence(TAIL_MS, whole.n_channels))
    return kept.frames.reshape(len(kept.frames), *pcm.shape[1:]), kept.rate


def tail_frames(sample_rate: int) -> int:
    """How many frames of silence `trim_reference` puts at the end of what has this rate."""
    tail = _silence(TAIL_MS, 1)
    return len(tail.followed_by(_Sound(tail.frames[:0], sample_rate)).frames)


class _Sound:
    """Frames [N, channels] at a rate, cut at whole milliseconds."""

    def __init__(self, frames: Pcm, rate: int) -> None:
        self.frames = frames
        self.rate = rate
        self.ms = round(1000 * (len(frames) / rate))

    @cached_property
    def _energy(self) -> npt.NDArray[np.int64]:
        """[N + 1], of all frames before each."""
        energy = np.zeros(len(self.frames) + 1, np.int64)
        for channel in self.frames.T:
            energy[1:] += np.square(channel, dtype=np.int64)
        return np.cumsum(energy, out=energy)

    @property
    def n_channels(self) -> int:
        return int(self.frames.shape[1])

    def cut(self, start_ms: int, end_ms: int) -> _Sound:
        """Its last millisecond may be one that was rounded up: the missing frames are silence."""
        start, end = self._frame(start_ms), self._frame(end_ms)
        found = self.frames[start:end]
        if len(found) and len(found) < end - start:
            found = np.pad(found, ((0, end - start - len(found)), (0, 0)))
        return _Sound(found, self.rate)

    def rms(self, start_ms: int, end_ms: int) -> int:
        """Root mean square of all channels together, rounded down."""
        start, end = self._frame(start_ms), self._frame(end_ms)
        energy = self._energy[min(end, len(self.frames))] - self._energy[min(start, len(self.frames))]
        n_samples = (end - start) * self.n_channels
        return int(math.sqrt(float(energy) / n_samples)) if n_samples and energy else 0

    def dbfs(self, start_ms: int, end_ms: int) -> float:
        """The same in dB below full scale."""
        rms = self.rms(start_ms, end_ms)
        return 20 * math.log(rms / FULL_SCALE, 10) if rms else -math.inf

    def followed_by(self, other: _Sound) -> _Sound:
        """Both in a row, at the higher of the two rates."""
        rate = max(self.rate, other.rate)
        return _Sound(np.concatenate([self._at(rate), other._at(rate)]), rate)

    def _at(self, rate: int) -> Pcm:
        return self.frames if rate == self.rate else _interpolated(self.frames, self.rate, rate)

    def _frame(self, ms: int) -> int:
        return int(min(ms, self.ms) * (self.rate / 1000.0))


def _silence(ms: int, n_channels: int) -> _Sound:
    return _Sound(np.zeros((int(LEAST_RATE * (ms / 1000.0)), n_channels), np.int16), LEAST_RATE)


def _without_pauses(sound: _Sound, pause_ms: int, dbfs: float) -> _Sound:
    """The segments between pauses in a row, up to the one that makes it too long."""
    kept = _silence(0, sound.n_channels)
    for start, end in _segments(sound, pause_ms, dbfs):
        longer = kept.followed_by(sound.cut(max(start, 0), min(end, sound.ms)))
        if kept.ms > ENOUGH_MS and longer.ms > MAX_MS:
            break
        kept = longer
    return kept


def _segments(sound: _Sound, pause_ms: int, dbfs: float) -> list[tuple[int, int]]:
    """Start and end of each in ms, with silence around them; what two would share is halved."""
    spoken = [[start - KEPT_MS, end + KEPT_MS] for start, end in _spoken(sound, pause_ms, dbfs)]
    for one, following in itertools.pairwise(spoken):
        if following[0] < one[1]:
            one[1] = following[0] = (one[1] + following[0]) // 2
    return [(start, end) for start, end in spoken]


def _spoken(sound: _Sound, pause_ms: int, dbfs: float) -> list[tuple[int, int]]:
    pauses = _pauses(sound, pause_ms, dbfs)
    borders = [0, *itertools.chain.from_iterable(pauses), sound.ms]
    spoken = list(zip(borders[::2], borders[1::2], strict=True))
    if pauses and pauses[-1][1] == sound.ms:
        spoken.pop()
    if pauses and pauses[0][0] == 0:
        spoken = spoken[1:]
    return spoken


def _pauses(sound: _Sound, pause_ms: int, dbfs: float) -> list[tuple[int, int]]:
    """Start and end of each in ms. Quiet windows make one pause if they touch or overlap."""
    last = sound.ms - pause_ms
    if last < 0:
        return []
    threshold = 10 ** (dbfs / 20) * FULL_SCALE
    starts = [*range(0, last + 1, _STEP_MS), *([last] if last % _STEP_MS else [])]
    pauses: list[tuple[int, int]] = []
    for start in starts:
        if sound.rms(start, start + pause_ms) > threshold:
            continue
        if pauses and start <= pauses[-1][1]:
            pauses[-1] = (pauses[-1][0], start + pause_ms)
        else:
            pauses.append((start, start + pause_ms))
    return pauses


def _without_edges(sound: _Sound) -> _Sound:
    trimmed = sound.cut(_leading_ms(sound), sound.ms)
    n_behind = _leading_ms(_Sound(trimmed.frames[::-1], trimmed.rate))
    return trimmed.cut(0, trimmed.ms - n_behind) if n_behind else trimmed


def _leading_ms(sound: _Sound) -> int:
    """How long it is quiet before the first sound, in steps of 10 ms."""
    starts = range(0, sound.ms, _STEP_MS)
    return next((ms for ms in starts if sound.dbfs(ms, ms + _STEP_MS) >= EDGE_DBFS), sound.ms)


def _interpolated(frames: Pcm, from_rate: int, to_rate: int) -> Pcm:
    """At a higher rate, by straight lines in the fixed-point arithmetic of Python's old `audioop.ratecv`."""
    if not len(frames):
        return frames
    divisor = math.gcd(from_rate, to_rate)
    step, whole = from_rate // divisor, to_rate // divisor
    places = np.arange((len(frames) - 1) * whole // step + 1, dtype=np.int64) * step
    after = -(-places // whole)
    weight = (after * whole - places)[:, None].astype(np.float64)
    scaled = frames.astype(np.float64) * 65536
    mixed = (scaled[np.maximum(after - 1, 0)] * weight + scaled[after] * (whole - weight)) / whole
    return (mixed.astype(np.int64) >> 16).astype(np.int16)
