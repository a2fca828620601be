"""The figures that are easy to get upside down, computed in one place."""

from __future__ import annotations


def rtf(synthesis_seconds: float, audio_seconds: float) -> float | None:
    """Real-time factor: synthesis seconds / audio seconds; below 1 is faster than playback.

    None where there is no audio. Its inverse is called `speedup`, never RTF.
    """
    return synthesis_seconds / audio_seconds if audio_seconds > 0 else None


def speedup(synthesis_seconds: float, audio_seconds: float) -> float | None:
    """How many times faster than playback, for people ("6x real time"); None where no time passed."""
    return audio_seconds / synthesis_seconds if synthesis_seconds > 0 else None
