"""How pieces that were not made in one go are joined: as loud, about as fast, and without a click. Pure."""

from __future__ import annotations

import numpy as np

from ttsops.audio.checks import from_dbfs, to_dbfs
from ttsops.audio.stretch import change_tempo
from ttsops.render.state import Level
from ttsops.speech import SAMPLE_RATE, Samples

FADE_SAMPLES = round(0.03 * SAMPLE_RATE)
"""Over which a piece fades into the next."""

PAUSE_SECONDS = 0.35
"""Between turns of pieces: what is silent at their ends is cut to half of it on each side."""

SILENCE_DB = -45.0
"""Below the loudest window of a piece: silence at its ends."""

WINDOW_SAMPLES = round(0.02 * SAMPLE_RATE)

MAX_GAIN_DB = 6.0
MAX_TEMPO = 1.1
"""What is further off is not made right, only less wrong."""

TEMPO_TOLERANCE = 0.15
"""Paces that differ by less are left alone: sentences differ."""

MIN_MATCHED_CHARS = 20
"""Shorter pieces say little of a speaker's level and pace."""


def trim(samples: Samples) -> Samples:
    """A piece [N] with at most half a pause of silence at either end; all of it if it is silent."""
    n_windows = len(samples) // WINDOW_SAMPLES
    if not n_windows:
        return samples
    windows = samples[: n_windows * WINDOW_SAMPLES].reshape(n_windows, -1)
    levels = np.sqrt(np.mean(np.square(windows, dtype=np.float64), axis=1))
    loud = np.flatnonzero(levels > levels.max() * from_dbfs(SILENCE_DB))
    if not len(loud):
        return samples
    margin = round(PAUSE_SECONDS / 2 * SAMPLE_RATE)
    start = max(0, int(loud[0]) * WINDOW_SAMPLES - margin)
    end = min(len(samples), (int(loud[-1]) + 1) * WINDOW_SAMPLES + margin)
    return samples[start:end]


def measure(samples: Samples, n_chars: int) -> Level:
    """Of a trimmed piece [N] that says `n_chars` characters: RMS of what is not silent, and pace."""
    n_windows = max(1, len(samples) // WINDOW_SAMPLES)
    windows = samples[: n_windows * WINDOW_SAMPLES].reshape(n_windows, -1)
    powers = np.mean(np.square(windows, dtype=np.float64), axis=1)
    spoken = powers[powers > powers.max() * from_dbfs(SILENCE_DB) ** 2]
    level = float(np.sqrt(spoken.mean())) if len(spoken) else 0.0
    return Level(to_dbfs(level), n_chars / max(len(samples) / SAMPLE_RATE, 1e-3))


def match(samples: Samples, n_chars: int, wanted: Level) -> Samples:
    """A piece [N] about as loud and as fast as `wanted`."""
    found = measure(samples, n_chars)
    tempo = wanted.chars_per_second / found.chars_per_second
    if abs(tempo - 1) > TEMPO_TOLERANCE:
        samples = change_tempo(samples, SAMPLE_RATE, float(np.clip(tempo, 1 / MAX_TEMPO, MAX_TEMPO)))
    if not np.isfinite(wanted.dbfs - found.dbfs):
        return samples  # one of them is silence
    gain_db = float(np.clip(wanted.dbfs - found.dbfs, -MAX_GAIN_DB, MAX_GAIN_DB))
    peak = float(np.abs(samples).max()) if len(samples) else 0.0
    gain = min(from_dbfs(gain_db), 1.0 / peak) if peak else 1.0
    return (samples * np.float32(gain)).astype(np.float32)
