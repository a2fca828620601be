"""Sample rates changed by soxr, as a stream: pieces give exactly the samples that the whole gives.

soxr's HQ quality works in blocks: the first samples come out after about 50 ms went in, and as much is kept
until the end.
"""

from __future__ import annotations

import numpy as np
import soxr

from ttsops.errors import AudioError
from ttsops.speech import Samples

_NOTHING: Samples = np.zeros(0, np.float32)


def resampled_length(n_samples: int, source_rate: int, target_rate: int) -> int:
    """Samples after resampling: n·target/source to the nearest, halves up, without floats."""
    return (2 * n_samples * target_rate + source_rate) // (2 * source_rate)


class StreamResampler:
    """Samples [N] at one rate in, at another out. Equal rates pass through untouched and uncopied."""

    def __init__(self, source_rate: int, target_rate: int) -> None:
        if source_rate <= 0 or target_rate <= 0:
            raise AudioError(f"cannot resample from {source_rate} Hz to {target_rate} Hz")
        self.source_rate = source_rate
        self.target_rate = target_rate
        self._n_taken = 0
        self._n_given = 0
        self._is_open = True
        self._soxr: soxr.ResampleStream | None = None
        if source_rate != target_rate:
            self._soxr = soxr.ResampleStream(source_rate, target_rate, 1, dtype="float32", quality="HQ")

    def process(self, samples: Samples) -> Samples:
        """What can be given so far, often a little less than was taken."""
        if not self._is_open:
            raise AudioError("this resampler has ended")
        if self._soxr is None or not len(samples):
            return samples
        self._n_taken += len(samples)
        resampled: Samples = self._soxr.resample_chunk(samples)
        self._n_given += len(resampled)
        return resampled

    def finish(self) -> Samples:
        """The rest, so that the total is `resampled_length` of what was taken."""
        if not self._is_open:
            raise AudioError("this resampler has ended")
        self._is_open = False
        if self._soxr is None:
            return _NOTHING
        n_missing = resampled_length(self._n_taken, self.source_rate, self.target_rate) - self._n_given
        rest: Samples = self._soxr.resample_chunk(_NOTHING, last=True)[:n_missing]
        self._soxr = None
        return np.pad(rest, (0, n_missing - len(rest)))


def resample(samples: Samples, source_rate: int, target_rate: int) -> Samples:
    """Samples [N] at another rate; the same array if the rates are equal."""
    if source_rate == target_rate:
        return samples
    resampler = StreamResampler(source_rate, target_rate)
    return np.concatenate([resampler.process(samples), resampler.finish()])
