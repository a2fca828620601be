"""A recording as the library keeps it, for every engine: one voice at 24 kHz, trimmed and levelled.

What one engine wants beyond that (F5-TTS: 2 to 12 s, with what is said in them) is made from the same source
by `reference`, and is no reason to refuse a voice here.
"""

from __future__ import annotations

import hashlib
import io
import wave
from dataclasses import dataclass

import numpy as np
from msgspec import structs

from ttsops.audio import resample
from ttsops.audio.checks import from_dbfs
from ttsops.audio.pcm import s16_to_float, to_s16
from ttsops.errors import AudioError, ShortReference, SilentReference
from ttsops.speech import SAMPLE_RATE, Samples
from ttsops.voices.quality import Finding, VoiceQuality, measure_voice
from ttsops.voices.reference import check_source
from ttsops.voices.silence import Pcm
from ttsops.voices.spectrum import frame_levels

MIN_SECONDS, MAX_SECONDS = 0.4, 30.0
SPEECH_DBFS = -20.0
"""RMS of the speech in what is kept."""

PEAK_DBFS = -1.0
"""Of what is kept, at most: then the speech is quieter than `SPEECH_DBFS`."""

MIN_LOUD_DBFS = -50.0
"""What has no frame as loud as this is silence."""

EDGE_DB = 40.0
"""At the ends, what lies so far below the loud frames is cut off ..."""

EDGE_ABOVE_NOISE_DB = 6.0
"""... and what is no louder than this above the quietest tenth."""

MARGIN_SECONDS = 0.1
"""Kept before the first sound and after the last."""

FADE_SECONDS = 0.005
SEARCH_SECONDS = 10.0
"""A longer recording is cut at the quietest place of so much before its 30th second."""

_FRAME, _HOP = 0.02, 0.01
_ACCEPTED = f"{MIN_SECONDS:g} to {MAX_SECONDS:g} s of clear speech by one person"


@dataclass(frozen=True, slots=True, eq=False)
class PreparedRecording:
    """What is kept, and how the source was."""

    pcm: Pcm
    """[N] at 24 kHz, 16 bit."""

    quality: VoiceQuality

    @property
    def seconds(self) -> float:
        """Duration."""
        return len(self.pcm) / SAMPLE_RATE

    @property
    def sha256(self) -> str:
        """Of the samples."""
        return recording_sha256(self.pcm)

    def to_wav(self) -> bytes:
        """As a file; `load_recording` reads it."""
        file = io.BytesIO()
        with wave.open(file, "wb") as wav:
            wav.setparams((1, 2, SAMPLE_RATE, len(self.pcm), "NONE", ""))
            wav.writeframes(self.pcm.astype("<i2").tobytes())
        return file.getvalue()


def prepare_recording(samples: Samples, sample_rate: int) -> PreparedRecording:
    """From samples [N] of any rate from 8 to 192 kHz.

    Raises a `BadReference` that says what is wrong and what is accepted: samples that are not finite, a rate
    out of range, silence, less than 0.4 s. What can be heard in the voice is in `quality.findings`.
    """
    facts = check_source(samples, sample_rate)
    start, end = _spoken(samples, sample_rate)
    if (end - start) / sample_rate < MIN_SECONDS:
        raise ShortReference(
            f"{(end - start) / sample_rate:.2f} s of the recording are no silence",
            hint=f"accepted: {_ACCEPTED}",
            param="file",
        )
    start = max(0, start - round(MARGIN_SECONDS * sample_rate))
    end = min(len(samples), end + round(MARGIN_SECONDS * sample_rate))
    findings: tuple[Finding, ...] = ()
    if (end - start) / sample_rate > MAX_SECONDS:
        kept = _end_of(samples[start:end], sample_rate)
        text = f"of {facts.seconds:.1f} s the first {kept / sample_rate:.1f} s are kept"
        findings, end = (Finding("cut", text),), start + kept
    spoken = samples[start:end] / np.float32(max(facts.peak, 1.0))  # beyond full scale only floats can be
    quality = measure_voice(spoken, sample_rate)
    quality = structs.replace(quality, findings=(*quality.findings, *findings))
    levelled = _levelled(resample(spoken, sample_rate, SAMPLE_RATE), quality.speech_dbfs)
    return PreparedRecording(to_s16(levelled), quality)


def check_heard(samples: Samples, sample_rate: int) -> None:
    """Raises `SilentReference` for samples [N] in which nothing is heard."""
    levels = frame_levels(samples, round(_FRAME * sample_rate), round(_HOP * sample_rate))
    if float(levels.max()) < MIN_LOUD_DBFS:
        raise SilentReference(
            "nothing is heard in the recording",
            hint=f"accepted: {_ACCEPTED}, louder than {MIN_LOUD_DBFS:g} dBFS",
            param="file",
        )


def load_recording(wav: bytes) -> Pcm:
    """What `to_wav` gave: [N] at 24 kHz. Raises `AudioError` if it is no such file."""
    try:
        with wave.open(io.BytesIO(wav)) as file:
            if (file.getnchannels(), file.getsampwidth(), file.getframerate()) != (1, 2, SAMPLE_RATE):
                raise AudioError(f"a kept recording has one channel of 16 bit at {SAMPLE_RATE} Hz")
            return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.int16)
    except (wave.Error, EOFError) as error:
        raise AudioError(f"a kept recording cannot be read: {error}") from error


def recording_sha256(pcm: Pcm) -> str:
    """Of samples [N]: equal for equal recordings, on every machine."""
    return hashlib.sha256(pcm.astype("<i2").tobytes()).hexdigest()


def recording_samples(pcm: Pcm) -> Samples:
    """[N] in [-1, 1]."""
    return s16_to_float(pcm.astype("<i2").tobytes())


def _spoken(samples: Samples, sample_rate: int) -> tuple[int, int]:
    """Where the first sound begins and the last one ends. Raises `SilentReference`."""
    window, hop = round(_FRAME * sample_rate), round(_HOP * sample_rate)
    levels = frame_levels(samples, window, hop)
    check_heard(samples, sample_rate)
    loud = float(np.percentile(levels, 95))
    quiet = np.sort(levels)[: max(1, len(levels) // 10)]
    threshold = max(float(levels.max()) - EDGE_DB, float(quiet.mean()) + EDGE_ABOVE_NOISE_DB)
    if threshold >= loud:  # no frame differs from another: a steady noise, which is judged, not cut
        return 0, len(samples)
    heard = np.flatnonzero(levels > threshold)
    return int(heard[0]) * hop, min(len(samples), int(heard[-1]) * hop + window)


def _end_of(samples: Samples, sample_rate: int) -> int:
    """How many samples are kept of too many: up to the quietest 0.2 s before the limit."""
    last = round(MAX_SECONDS * sample_rate)
    first = last - round(SEARCH_SECONDS * sample_rate)
    window, hop = round(0.2 * sample_rate), round(_HOP * sample_rate)
    levels = frame_levels(samples[first:last], window, hop)
    return first + int(np.argmin(levels)) * hop + window // 2


def _levelled(samples: Samples, speech_dbfs: float) -> Samples:
    """At the library's level, its ends faded over 5 ms."""
    gain = from_dbfs(SPEECH_DBFS - speech_dbfs)
    peak = float(np.abs(samples).max())
    levelled = samples * np.float32(min(gain, from_dbfs(PEAK_DBFS) / peak))
    n_fade = min(len(samples) // 2, round(FADE_SECONDS * SAMPLE_RATE))
    ramp = np.linspace(0, 1, n_fade, dtype=np.float32)
    levelled[:n_fade] *= ramp
    levelled[len(levelled) - n_fade :] *= ramp[::-1]
    return levelled
