"""Chunks of one utterance joined as they are decoded, with the cross-fades of the published pipeline.

How long a chunk will be is known before it is made, so nothing is held back but what the next one may still
fade into.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ttsops.speech import Samples

CROSS_FADE_SECONDS = 0.15


class ChunkJoiner:
    """Samples of one chunk after the other in, in pieces of any length; samples that are final out.

    The last `n_faded` samples of everything so far fade into the next chunk on straight lines from 1 to 0 and
    0 to 1, over all of it where it is shorter.
    """

    def __init__(self, n_faded: int) -> None:
        self._n_faded = max(n_faded, 0)
        self._held: Samples = np.zeros(0, np.float32)
        self._fading: Samples = self._held
        self._ramp: Samples = self._held
        self._n_to_come = 0
        self._n_taken = 0

    def begin(self, n_samples: int) -> None:
        """A chunk of that many samples follows."""
        n_overlap = min(self._n_faded, len(self._held), n_samples)
        split = len(self._held) - n_overlap
        self._held, self._fading = self._held[:split], self._held[split:]
        self._ramp = np.linspace(0, 1, n_overlap).astype(np.float32)
        self._n_to_come, self._n_taken = n_samples, 0

    def push(self, samples: Samples) -> Samples:
        """The chunk's next samples [n] in; what no later chunk changes out."""
        now = slice(self._n_taken, self._n_taken + len(samples))
        fading, rising = self._fading[now], self._ramp[now]
        mixed = fading * (1 - rising) + samples[: len(fading)] * rising
        self._held = np.concatenate([self._held, mixed, samples[len(fading) :]])
        self._n_taken += len(samples)
        self._n_to_come -= len(samples)
        n_final = min(max(len(self._held) + self._n_to_come - self._n_faded, 0), len(self._held))
        final, self._held = self._held[:n_final], self._held[n_final:]
        return final

    def finish(self) -> Samples:
        """The rest: no chunk follows."""
        rest, self._held = self._held, self._held[:0]
        return rest


def join_chunks(chunks: Iterable[Samples], n_faded: int) -> Samples:
    """Whole chunks [n] joined into one."""
    joiner = ChunkJoiner(n_faded)
    pieces: list[Samples] = [np.zeros(0, np.float32)]
    for chunk in chunks:
        joiner.begin(len(chunk))
        pieces.append(joiner.push(chunk))
    return np.concatenate([*pieces, joiner.finish()])
