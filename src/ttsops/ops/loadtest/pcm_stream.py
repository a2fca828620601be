"""Samples out of a WAV or PCM answer while it arrives, in whatever pieces the network cuts it."""

from __future__ import annotations

import struct

import numpy as np

from ttsops.audio.pcm import BYTES_PER_SAMPLE, s16_to_float
from ttsops.errors import AudioError
from ttsops.speech import SAMPLE_RATE, Samples

NO_SAMPLES: Samples = np.zeros(0, np.float32)
MAX_HEADER_BYTES = 1 << 20
_PCM = 1
_EXTENSIBLE = 0xFFFE


class PcmStream:
    """Feed it bytes, take samples. Mono or more channels, of which the first is listened to; 16 bit."""

    def __init__(self, *, is_wav: bool, sample_rate: int = SAMPLE_RATE) -> None:
        self.sample_rate = sample_rate
        """Hertz; of a WAV, known when its header was read."""
        self._n_channels = 1
        self._has_header = not is_wav
        self._rest = b""

    def feed(self, data: bytes) -> Samples:
        """Samples [N] that are complete now, often none. Raises `AudioError` for what is not 16 bit WAV."""
        self._rest += data
        if not self._has_header and not self._read_header():
            return NO_SAMPLES
        n_bytes = len(self._rest) - len(self._rest) % (BYTES_PER_SAMPLE * self._n_channels)
        if not n_bytes:
            return NO_SAMPLES
        samples = s16_to_float(memoryview(self._rest)[:n_bytes])
        self._rest = self._rest[n_bytes:]
        return samples[:: self._n_channels]

    def _read_header(self) -> bool:
        """Everything up to the samples; sizes are not believed, a streamed WAV does not know its own."""
        data = self._rest
        if data[:4] != b"RIFF"[: len(data)] or data[8:12] != b"WAVE"[: max(0, len(data) - 8)]:
            raise AudioError("the answer does not begin as a WAV does")
        at = 12
        while len(data) >= at + 8:
            name, n_bytes = struct.unpack_from("<4sI", data, at)
            at += 8
            if name == b"data":
                self._rest = data[at:]
                self._has_header = True
                return True
            if len(data) < at + n_bytes:
                break
            if name == b"fmt ":
                self._read_format(data, at)
            at += n_bytes + n_bytes % 2
        if len(data) > MAX_HEADER_BYTES:
            raise AudioError("the WAV's header has no end")
        return False

    def _read_format(self, data: bytes, at: int) -> None:
        code, n_channels, sample_rate, _, _, n_bits = struct.unpack_from("<HHIIHH", data, at)
        if code not in (_PCM, _EXTENSIBLE) or n_bits != 16 or not n_channels or not sample_rate:
            raise AudioError(
                f"the WAV has {n_channels} channels of {n_bits} bits, format {code}; 16 bit PCM is needed"
            )
        self._n_channels, self.sample_rate = n_channels, sample_rate
