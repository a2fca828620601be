"""Recordings of nobody: voices for models without weights, which speak noise in any voice."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ttsops.errors import VoiceNotFound
from ttsops.speech import SAMPLE_RATE, Samples, Voice

PITCHES = {"en-Low_none": 110.0, "en-High_none": 190.0}
"""Hertz, by voice id."""

SECONDS = 3.0
RMS = 0.1


def hum_voices() -> Sequence[Voice]:
    """Always the same two."""
    return [Voice(name, name, "en", "neutral", "A hum, not a voice") for name in PITCHES]


def check_hum(voice_id: str) -> None:
    """Raises `VoiceNotFound` for any other."""
    if voice_id not in PITCHES:
        listed = ", ".join(f"`{one}`" for one in PITCHES)
        raise VoiceNotFound(f"no voice `{voice_id}`", hint=f"voices: {listed}", param="voice")


def hum(voice_id: str) -> Samples:
    """At 24 kHz: a tone with overtones, swelling twice a second. Raises `VoiceNotFound`."""
    check_hum(voice_id)
    t = np.arange(round(SECONDS * SAMPLE_RATE)) / SAMPLE_RATE
    tone = sum(np.sin(2 * np.pi * PITCHES[voice_id] * k * t) / k for k in range(1, 12))
    wave = tone * (1 + 0.5 * np.sin(4 * np.pi * t))
    return np.asarray(wave * RMS / np.sqrt(np.mean(wave**2)), np.float32)
