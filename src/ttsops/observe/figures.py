"""The figures that are easy to get upside down, computed in one place."""

from __future__ import annotations


def rtf(synthesis_seconds: float, audio_seconds: float) -> float | None:
    """Real-time factor: synthesis seconds / audio seconds; below 1 is faster than playback.

    None where there is no audio.
    """
    return synthesis_seconds / audio_seconds if audio_seconds > 0 else None
