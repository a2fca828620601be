"""How many mel frames a chunk is given: a flow model fills whatever length it is told.

`reference_duration` is the published pipeline's (https://github.com/SWivid/F5-TTS, `infer/utils_infer.py`),
which the recordings were made with.
"""

from __future__ import annotations

from collections.abc import Sequence

from ttsops.engines.f5.chunks import n_bytes

SAMPLE_RATE = 24_000
HOP = 256
"""Samples of a mel frame."""

HURRIED_BYTES, HURRIED_SPEED = 10, 0.3
"""The published pipeline speaks a chunk of fewer bytes at this speed, whatever was asked for."""


def reference_duration(
    chunks: Sequence[str],
    ref_text: str,
    ref_samples: int,
    *,
    speed: float = 1.0,
    fix_duration: float | None = None,
    cross_fade_duration: float = 0.15,
) -> list[int]:
    """Frames of reference and speech together for each chunk, as the published pipeline computes them.

    `ref_samples` is the reference's length at 24 kHz; `ref_text` its transcript, to which a blank is added
    after a character of one byte. `fix_duration` is what reference and all speech last in seconds, when
    chunks are cross-faded over `cross_fade_duration` seconds. Before the sampler's own bounds.
    """
    ref_frames = ref_samples // HOP
    if fix_duration is not None:
        return [
            int(seconds * SAMPLE_RATE / HOP)
            for seconds in _shares(chunks, ref_frames * HOP / SAMPLE_RATE, fix_duration, cross_fade_duration)
        ]
    frames_per_byte = ref_frames / n_bytes(with_blank(ref_text))
    return [
        ref_frames
        + int(frames_per_byte * n_bytes(chunk) / (HURRIED_SPEED if n_bytes(chunk) < HURRIED_BYTES else speed))
        for chunk in chunks
    ]


def with_blank(ref_text: str) -> str:
    """The transcript as it is put before a chunk's text."""
    return f"{ref_text} " if n_bytes(ref_text[-1:]) == 1 else ref_text


def _shares(
    chunks: Sequence[str], ref_seconds: float, fix_duration: float, cross_fade_duration: float
) -> list[float]:
    """The generated seconds are shared out by bytes, and every cross-fade is made up for."""
    if len(chunks) == 1:
        return [fix_duration]
    weights = [n_bytes(chunk) for chunk in chunks]
    to_share = fix_duration - ref_seconds + cross_fade_duration * (len(chunks) - 1)
    return [ref_seconds + to_share * weight / sum(weights) for weight in weights]
