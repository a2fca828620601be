"""What each format costs and how late it is: `python benchmarks/audio_encoders.py`, about ten seconds.

Processor time is this process's own, so that a busy machine does not change it much. The signal is a gliding
harmonic voice with noise, 20 s at 24 kHz, always the same.
"""

from __future__ import annotations

import gc
import io
import multiprocessing
import platform
import time

import av
import numpy as np
import psutil

from ttsops.audio import Format, create_encoder
from ttsops.speech import SAMPLE_RATE, Samples

SECONDS = 20
MILLISECOND = SAMPLE_RATE // 1000
# Samples that a decoder gives before the first that was sent.
DELAY = {Format.MP3: 1105, Format.AAC: 1024}


def make_voice() -> Samples:
    rng = np.random.default_rng(0)
    at = np.arange(SECONDS * SAMPLE_RATE) / SAMPLE_RATE
    phase = 2 * np.pi * np.cumsum(120 + 30 * np.sin(2 * np.pi * 0.7 * at)) / SAMPLE_RATE
    voice = sum(np.sin(k * phase) / k**1.3 for k in range(1, 20))
    syllables = 0.55 + 0.45 * np.sin(2 * np.pi * 4 * at)
    return (0.25 * voice * syllables + 0.01 * rng.standard_normal(len(at))).astype(np.float32)


def processor_seconds(fmt: Format, voice: Samples, piece_ms: int) -> float:
    """Per second of audio, with the encoder's start and end."""
    size = piece_ms * MILLISECOND
    began = time.process_time()
    encoder = create_encoder(fmt)
    for start in range(0, len(voice), size):
        encoder.encode(voice[start : start + size])
    encoder.finish()
    return (time.process_time() - began) / SECONDS


def first_audio_ms(fmt: Format, voice: Samples) -> int:
    """Audio that goes in before bytes that carry audio come out; a header does not count."""
    encoder = create_encoder(fmt)
    header_bytes = len(encoder.encode(voice[:1]))
    if fmt in (Format.WAV, Format.PCM):
        return 1 if header_bytes else 0
    for ms in range(1, 1000):
        if encoder.encode(voice[(ms - 1) * MILLISECOND + 1 : ms * MILLISECOND + 1]):
            return ms
    raise AssertionError("no bytes within a second")


def held_back_ms(fmt: Format, voice: Samples) -> float:
    """The most audio that is in the encoder and cannot be heard yet, over one second of 1 ms pieces."""
    if fmt in (Format.WAV, Format.PCM):
        return 0.0
    encoder, sent, worst = create_encoder(fmt), b"", 0.0
    for ms in range(1, 1001):
        data = encoder.encode(voice[(ms - 1) * MILLISECOND : ms * MILLISECOND])
        if data and ms > 500:  # just before this, most was held back
            worst = max(worst, ms - heard_ms(sent, fmt))
        sent += data
    return worst


def heard_ms(data: bytes, fmt: Format) -> float:
    name = "ogg" if fmt is Format.OPUS else fmt.value
    with av.open(io.BytesIO(data), format=name) as container:
        stream = container.streams.audio[0]
        n_samples = sum(frame.samples for frame in container.decode(stream))
        return 1000 * (n_samples / stream.rate - DELAY.get(fmt, 0) / SAMPLE_RATE)


def memory_per_stream_kb(fmt: Format) -> float:
    """To be run in a fresh process: what earlier work left free would be used first."""
    n_streams = 20 if fmt is Format.FLAC else 200
    process = psutil.Process()
    hiss = np.random.default_rng(0).uniform(-0.1, 0.1, 2400).astype(np.float32)
    create_encoder(fmt).encode(hiss)
    gc.collect()
    before = process.memory_info().rss
    held = [create_encoder(fmt) for _ in range(n_streams)]
    for encoder in held:
        encoder.encode(hiss)
    return (process.memory_info().rss - before) / n_streams / 1024


def in_fresh_process(fmt: Format) -> float:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(memory_per_stream_kb, [fmt])


def bits_per_second(fmt: Format, voice: Samples) -> float:
    encoder = create_encoder(fmt)
    n_bytes = sum(len(encoder.encode(piece)) for piece in np.split(voice, SECONDS * 10))
    return 8 * (n_bytes + len(encoder.finish())) / SECONDS


def main() -> None:
    voice = make_voice()
    print(f"{platform.machine()}, Python {platform.python_version()}, PyAV {av.__version__}")
    print("first/held: ms of audio; cpu: ms per second of audio, in pieces of 20, 40 and 100 ms\n")
    print("| format | first | held | cpu 20 | cpu 40 | cpu 100 | streams per core | kbit/s | kB per stream |")
    print("|---|---|---|---|---|---|---|---|---|")
    for fmt in Format:
        processor_seconds(fmt, voice, 100)  # pays for imports and first calls
        cpu = [min(processor_seconds(fmt, voice, ms) for _ in range(2)) for ms in (20, 40, 100)]
        columns = [
            fmt.value,
            f"{first_audio_ms(fmt, voice)}",
            f"{held_back_ms(fmt, voice):.0f}",
            *(f"{1000 * seconds:.2f}" for seconds in cpu),
            f"{1 / cpu[1]:.0f}",
            f"{bits_per_second(fmt, voice) / 1000:.0f}",
            f"{in_fresh_process(fmt):.0f}",
        ]
        print(f"| {' | '.join(columns)} |")


if __name__ == "__main__":
    main()
