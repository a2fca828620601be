"""What the tests of this room listen with: a speech-like signal, and decoders that are not ours."""

import io
from dataclasses import dataclass

import av
import numpy as np
import soundfile

from ttsops.audio import Encoder, Format
from ttsops.speech import Samples

RATE = 24_000

COMPRESSED = (Format.MP3, Format.OPUS, Format.AAC, Format.FLAC)
EXACT = (Format.OPUS, Format.FLAC, Format.WAV)
"""Formats whose decoders give exactly as many samples as went in."""


def speechlike(n_samples: int, *, seed: int = 0, rate: int = RATE) -> Samples:
    """A gliding voice of many harmonics with syllables and breath, peak below 0.8."""
    rng = np.random.default_rng(seed)
    time = np.arange(n_samples) / rate
    pitch = 120 + 30 * np.sin(2 * np.pi * 0.7 * time + seed)
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    voice = sum(np.sin(k * phase) / k**1.3 for k in range(1, 20))
    syllables = 0.55 + 0.45 * np.sin(2 * np.pi * 4 * time)
    breath = 0.01 * rng.standard_normal(n_samples)
    return np.clip(0.25 * voice * syllables + breath, -0.8, 0.8).astype(np.float32)


@dataclass(frozen=True)
class Heard:
    samples: Samples
    rate: int
    tags: dict[str, str]

    @property
    def n_samples(self) -> float:
        """At the rate that was sent."""
        return len(self.samples) * RATE / self.rate


def hear(data: bytes, fmt: Format) -> Heard:
    """Decoded by FFmpeg."""
    if fmt is Format.PCM:
        return Heard(np.frombuffer(data, "<i2").astype(np.float32) / 32768, RATE, {})
    # Named, because a frame or two of ADTS are too little to recognise it by.
    name = "ogg" if fmt is Format.OPUS else fmt.value
    with av.open(io.BytesIO(data), format=name) as container:
        stream = container.streams.audio[0]
        pieces = [frame.to_ndarray()[0] for frame in container.decode(stream)]
        tags = {k.lower(): v for k, v in {**container.metadata, **stream.metadata}.items()}
    joined = np.concatenate(pieces) if pieces else np.zeros(0, np.float32)
    if joined.dtype == np.int16:
        joined = joined.astype(np.float32) / 32768
    return Heard(joined, stream.rate, tags)


def hear_with_libsndfile(data: bytes) -> Heard:
    """Decoded by libFLAC, libopus and mpg123, which share no code with FFmpeg's decoders."""
    with soundfile.SoundFile(io.BytesIO(data)) as file:
        pieces = []
        while len(piece := file.read(4096, dtype="float32")):
            pieces.append(piece)
        return Heard(np.concatenate(pieces), file.samplerate, {})


def encode_whole(encoder: Encoder, samples: Samples) -> bytes:
    return encoder.encode(samples) + encoder.finish()


def encode_pieces(encoder: Encoder, samples: Samples, sizes: list[int]) -> bytes:
    """Cut at the sizes, over and over, until nothing is left."""
    encoded, start, turn = [], 0, 0
    while start < len(samples):
        size = sizes[turn % len(sizes)]
        encoded.append(encoder.encode(samples[start : start + size]))
        start, turn = start + size, turn + 1
    return b"".join([*encoded, encoder.finish()])


def lag_between(heard: Samples, sent: Samples) -> int:
    """By how many samples `heard` is late, from their cross-correlation."""
    size = 1 << (len(heard) + len(sent)).bit_length()
    spectrum = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(sent, size))
    lag = int(np.argmax(np.fft.irfft(spectrum, size)))
    return lag - size if lag > size // 2 else lag
