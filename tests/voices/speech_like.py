"""Recordings for tests: noise that comes and goes as syllables do, in the formats people send."""

from __future__ import annotations

import io
import struct
import wave

import numpy as np

from ttsops.speech import Samples


def babble(seconds: float = 4.0, *, rate: int = 24_000, level: float = 0.2, seed: int = 0) -> Samples:
    """Four syllables a second, [N]."""
    times = np.arange(int(seconds * rate)) / rate
    noise = np.random.default_rng(seed).uniform(-1, 1, len(times))
    return (noise * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * times)) * level).astype(np.float32)


def wav_bytes(samples: Samples, rate: int = 24_000, n_channels: int = 1) -> bytes:
    """16 bit; every channel has the same."""
    pcm = np.repeat(np.clip(np.rint(samples * 32768), -32768, 32767).astype("<i2"), n_channels)
    file = io.BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setparams((n_channels, 2, rate, len(samples), "NONE", ""))
        wav.writeframes(pcm.tobytes())
    return file.getvalue()


def float_wav_bytes(samples: Samples, rate: int = 24_000) -> bytes:
    """32 bit floats, which may be anything."""
    data = samples.astype("<f4").tobytes()
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16, 3, 1, rate,
                       rate * 4, 4, 32, b"data", len(data))  # fmt: skip
    return head + data


def talk(
    seconds: float = 6.0, *, rate: int = 24_000, level: float = 0.2, pitch: float = 140.0, seed: int = 0
) -> Samples:
    """Voiced syllables whose pitch glides by a fifth, four a second, and a pause of 0.4 s every 2 s: [N].

    `level` is the RMS where somebody speaks.
    """
    rng = np.random.default_rng(seed)
    times = np.arange(int(seconds * rate)) / rate
    glide = 1 + 0.2 * np.sin(2 * np.pi * 0.9 * times + rng.uniform(0, 6))
    phase = 2 * np.pi * np.cumsum(pitch * glide) / rate
    voice = np.sum([np.sin(k * phase) / k for k in range(1, int(7_000 / pitch / 1.2))], axis=0)
    voice += 0.15 * rng.standard_normal(len(times))  # breath reaches further up than the harmonics
    voice *= np.sin(2 * np.pi * 2 * times) ** 2 * (times % 2 < 1.6)
    is_spoken = np.abs(voice) > 0
    return (voice * level / np.sqrt(np.mean(voice[is_spoken] ** 2))).astype(np.float32)
