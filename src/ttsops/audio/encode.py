"""One encoder per response: samples go in as they are made, bytes leave as early as the format allows.

Here are the encoder's contract and the formats that need no codec; `codec` has the others and is imported
only when one of them is asked for, because PyAV takes 100 ms to import.
"""

from __future__ import annotations

import struct
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self

import numpy as np

from ttsops.audio.formats import BIT_RATES, Format
from ttsops.audio.pcm import BYTES_PER_SAMPLE, float_to_s16
from ttsops.audio.tags import NO_TAGS, Tags, riff_info
from ttsops.errors import AudioError, TtsOpsError
from ttsops.speech import SAMPLE_RATE, Samples

UNKNOWN_SIZE = 0xFFFFFFFF
"""What a streamed WAV gives as its sizes: read until the end."""


class Encoder(ABC):
    """A continuous stream of one format. Owned by one thread at a time; not reusable.

    Does not know where the bytes go. Leaving it half-way (`close`, or just dropping it) frees the codec.
    """

    def __init__(self, fmt: Format, sample_rate: int, total_samples: int | None) -> None:
        self.format = fmt
        self.sample_rate = sample_rate
        self.n_samples = 0
        """Samples taken so far."""
        self._total_samples = total_samples
        self._is_open = True

    def encode(self, samples: Samples) -> bytes:
        """Take samples [N]; give what can leave now, which may be nothing. Any N, also 0.

        Raises `BadAudio` for samples that are not finite and `AudioError` for more than were announced, for
        anything but float32 [N], and after the end. An encoder that has raised has ended.
        """
        if not self._is_open:
            raise AudioError("this encoder has ended")
        if samples.ndim != 1 or samples.dtype != np.float32:
            raise AudioError(f"samples are {samples.dtype} {list(samples.shape)}, must be float32 [N]")
        if not len(samples):
            return b""
        try:
            if self._total_samples is not None and self.n_samples + len(samples) > self._total_samples:
                raise AudioError(f"more than the {self._total_samples} samples that were announced")
            header = b"" if self.n_samples else self._header()
            self.n_samples += len(samples)
            return header + self._encode(samples)
        except TtsOpsError:
            self.close()
            raise

    def finish(self) -> bytes:
        """The last bytes. Raises `AudioError` if there was no sample, or fewer than were announced."""
        if not self._is_open:
            raise AudioError("this encoder has ended")
        try:
            if not self.n_samples:
                raise AudioError("there are no samples to encode")
            if self._total_samples not in (None, self.n_samples):
                raise AudioError(f"{self.n_samples} samples came, {self._total_samples} were announced")
            return self._finish()
        finally:
            self.close()

    def close(self) -> None:
        """Give the codec back. May be called twice, and half-way."""
        self._is_open = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @abstractmethod
    def _header(self) -> bytes: ...

    @abstractmethod
    def _encode(self, samples: Samples) -> bytes: ...

    @abstractmethod
    def _finish(self) -> bytes: ...


class PcmEncoder(Encoder):
    """16 bit samples, little-endian, and nothing else."""

    def _header(self) -> bytes:
        return b""

    def _encode(self, samples: Samples) -> bytes:
        return float_to_s16(samples)

    def _finish(self) -> bytes:
        return b""


class WavEncoder(PcmEncoder):
    """The same after a RIFF header: 44 bytes, more only if there are tags."""

    def __init__(self, fmt: Format, sample_rate: int, total_samples: int | None, tags: Tags) -> None:
        super().__init__(fmt, sample_rate, total_samples)
        self._tags = tags
        self._header()

    def _header(self) -> bytes:
        """https://www.mmsp.ece.mcgill.ca/Documents/AudioFormats/WAVE/WAVE.html."""
        info = riff_info(self._tags)
        data_bytes = riff_bytes = UNKNOWN_SIZE
        if self._total_samples is not None:
            data_bytes = self._total_samples * BYTES_PER_SAMPLE
            riff_bytes = 36 + len(info) + data_bytes
            if riff_bytes >= UNKNOWN_SIZE:
                raise AudioError(f"{self._total_samples} samples do not fit into a WAV file (4 GiB)")
        byte_rate = self.sample_rate * BYTES_PER_SAMPLE
        return (
            struct.pack("<4sI4s", b"RIFF", riff_bytes, b"WAVE")
            + struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, self.sample_rate, byte_rate, BYTES_PER_SAMPLE, 16)
            + info
            + struct.pack("<4sI", b"data", data_bytes)
        )


def create_encoder(
    fmt: Format,
    sample_rate: int = SAMPLE_RATE,
    *,
    total_samples: int | None = None,
    bit_rate: int | None = None,
    tags: Tags = NO_TAGS,
) -> Encoder:
    """An encoder for one response.

    total_samples: known length, written into the header of WAV and FLAC; then exactly so many must come.
    bit_rate: bits per second, for the formats in `BIT_RATES`; None for their default.
    tags: left out by PCM and AAC, which have no place for them.

    Raises `AudioError` for a rate or bit rate that the format cannot have.
    """
    if sample_rate <= 0:
        raise AudioError(f"{sample_rate} Hz is not a sample rate")
    _check_bit_rate(fmt, bit_rate)
    if fmt is Format.PCM:
        return PcmEncoder(fmt, sample_rate, total_samples)
    if fmt is Format.WAV:
        return WavEncoder(fmt, sample_rate, total_samples, tags)
    from ttsops.audio.codec import CodecEncoder

    return CodecEncoder(fmt, sample_rate, total_samples, bit_rate, tags)


def _check_bit_rate(fmt: Format, bit_rate: int | None) -> None:
    if bit_rate is None:
        return
    known = BIT_RATES.get(fmt)
    if known is None:
        raise AudioError(f"the bit rate of {fmt} cannot be chosen")
    if not known.minimum <= bit_rate <= known.maximum:
        raise AudioError(
            f"{bit_rate} bits per second is not from {known.minimum} to {known.maximum}, as {fmt} needs"
        )
