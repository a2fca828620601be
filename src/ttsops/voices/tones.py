"""Steady tones: what music, beeps and hums have, and speech hardly ever has.

The harmonics of a voice glide, so that a window of 0.4 s smears them; a note that is held is a narrow line
in it. A line that is still there 0.3 s later is a steady tone. This is no recogniser of music: drums, vibrato
and music 20 dB and more below the voice mostly pass, and somebody who sings on one pitch does not.

Legend: N samples, T frames, F frequencies.
"""

from __future__ import annotations

import numpy as np

from ttsops.speech import Samples
from ttsops.voices.spectrum import power_spectra, to_db

WINDOW_SECONDS, HOP_SECONDS = 0.4, 0.1
N_HOPS_LATER = 3
LOWEST_HZ, HIGHEST_HZ = 90.0, 5_000.0
"""Mains hum of 50 or 60 Hz itself is left to the noise."""

LINE_DB = 12.0
"""A line stands so far above what is 3 to 5 bins beside it; a window's own main lobe ends after 2."""

BESIDE_BINS = (3, 4, 5)
AUDIBLE_DB = 50.0
"""What lies further below the loudest line of the recording is not heard behind the voice."""


def steady_share(samples: Samples, sample_rate: int) -> float:
    """Share of the time, 0 to 1, in which at least one steady tone is heard in samples [N]."""
    window = round(WINDOW_SECONDS * sample_rate)
    levels = to_db(power_spectra(samples, window, round(HOP_SECONDS * sample_rate)))
    if len(levels) <= N_HOPS_LATER:
        return 0.0
    beside = np.full_like(levels, -np.inf)
    for n_bins in BESIDE_BINS:
        beside[:, n_bins:] = np.maximum(beside[:, n_bins:], levels[:, :-n_bins])
        beside[:, :-n_bins] = np.maximum(beside[:, :-n_bins], levels[:, n_bins:])
    frequencies = np.arange(levels.shape[1]) * sample_rate / window
    is_line = (levels >= beside + LINE_DB) & (levels > levels.max() - AUDIBLE_DB)
    is_line[:, (frequencies < LOWEST_HZ) | (frequencies > HIGHEST_HZ)] = False
    near = is_line.copy()
    near[:, 1:] |= is_line[:, :-1]
    near[:, :-1] |= is_line[:, 1:]
    is_steady = (is_line[:-N_HOPS_LATER] & near[N_HOPS_LATER:]).any(axis=1)
    covered = np.zeros(len(levels), bool)
    for later in range(N_HOPS_LATER + 1):
        covered[later : later + len(is_steady)] |= is_steady
    return float(covered.mean())
