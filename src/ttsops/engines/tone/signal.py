"""The signal: one sine per character, its frequency made from voice, seed and all text up to that character.

So the samples of an utterance depend on nothing else, two utterances never sound the same, and text in pieces
gives what text whole gives. Phase runs on from character to character: there are no clicks.
"""

from __future__ import annotations

import zlib

import numpy as np

from ttsops.engines.tone.card import BASE_HZ, SAMPLE_RATE
from ttsops.speech import Samples

AMPLITUDE = 0.25
_CYCLE = (AMPLITUDE * np.sin(2 * np.pi * np.arange(SAMPLE_RATE) / SAMPLE_RATE)).astype(np.float32)
"""One second of 1 Hz; any whole frequency is read from it exactly, wherever a chunk begins."""


class Melody:
    """One utterance's signal, made character by character."""

    def __init__(
        self,
        voice: str,
        seed: int | None,
        *,
        char_seconds: float,
        pitch: float = 1.0,
        frequency: int = 0,
    ) -> None:
        self.char_samples = max(1, round(char_seconds * SAMPLE_RATE))
        self._base_hz = max(1, round(BASE_HZ[voice] * pitch))
        self._frequency = frequency
        self._digest = zlib.crc32(f"{voice} {seed or 0}".encode())
        self._phase = 0
        self._ramp = np.arange(self.char_samples, dtype=np.int64)

    def sing(self, character: str) -> Samples:
        """Samples [char_samples] of the next character."""
        self._digest = zlib.crc32(character.encode("utf-8", "surrogatepass"), self._digest)
        hertz = self._frequency or self._base_hz + self._digest % self._base_hz
        samples: Samples = _CYCLE[(self._ramp * hertz + self._phase) % SAMPLE_RATE]
        self._phase = (self._phase + self.char_samples * hertz) % SAMPLE_RATE
        return samples


def render(
    text: str,
    voice: str = "middle",
    seed: int | None = None,
    *,
    char_seconds: float = 0.06,
    pitch: float = 1.0,
    frequency: int = 0,
) -> Samples:
    """What `tone` says for `text` from its first to its last sample: whatever is heard elsewhere is a fault.

    `char_seconds` is the engine's `seconds_per_char` divided by the request's speed.
    """
    melody = Melody(voice, seed, char_seconds=char_seconds, pitch=pitch, frequency=frequency)
    return np.concatenate([np.zeros(0, np.float32), *(melody.sing(character) for character in text)])
