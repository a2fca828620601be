"""Speech as a file: as loud as a file may be, marked as synthetic, whole or not there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ttsops.audio.checks import normalise_peak
from ttsops.audio.encode import create_encoder
from ttsops.audio.files import atomic_file
from ttsops.audio.formats import Format
from ttsops.audio.tags import synthetic_speech
from ttsops.speech import SAMPLE_RATE, Samples

PEAK_DBFS = -1.0
"""Of files: as loud as a file can be with room for what lossy codecs add."""

PIECE_SAMPLES = SAMPLE_RATE
"""Samples encoded at once; an interrupt is seen between pieces."""


def save_speech(path: Path, samples: Samples, fmt: Format, engine: str) -> None:
    """Samples [N] at 24 kHz into the file at `path`, with their peak at -1 dBFS.

    Raises `BadAudio` for samples that are not finite, `AudioError` if the file cannot be written.
    """
    with atomic_file(path) as file:
        for data in _encoded(samples, fmt, engine):
            file.write(data)


def encode_speech(samples: Samples, fmt: Format, engine: str) -> bytes:
    """What `save_speech` would write. Raises `BadAudio`, and `AudioError` for no samples."""
    return b"".join(_encoded(samples, fmt, engine))


def _encoded(samples: Samples, fmt: Format, engine: str) -> Iterator[bytes]:
    samples = normalise_peak(samples, PEAK_DBFS)
    with create_encoder(fmt, total_samples=len(samples), tags=synthetic_speech(engine)) as encoder:
        for start in range(0, len(samples), PIECE_SAMPLES):
            yield encoder.encode(samples[start : start + PIECE_SAMPLES])
        yield encoder.finish()
