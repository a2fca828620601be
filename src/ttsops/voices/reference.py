"""A recording of somebody, made ready for a model that speaks as they do.

The steps are those of the published F5-TTS (https://github.com/SWivid/F5-TTS, `infer/utils_infer.py`): one
channel, silence cut out, at most 12 s, quiet speech raised to an RMS of 0.1, 24 kHz. What that pipeline makes
noise or NaN from is refused here, with the reason.
"""

from __future__ import annotations

import hashlib
import io
import math
import wave
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ttsops.audio import decode_audio
from ttsops.audio.pcm import to_s16
from ttsops.audio.sinc import sinc_resample
from ttsops.errors import (
    AudioError,
    BadReference,
    BrokenReference,
    NoTranscript,
    ShortReference,
    SilentReference,
    UnreadableReference,
)
from ttsops.speech import SAMPLE_RATE, Samples
from ttsops.voices.silence import FULL_SCALE, MAX_MS, Pcm, tail_frames, trim_reference

TARGET_RMS = 0.1
"""Quieter references are raised to it; speech made from them is lowered again."""

MIN_RMS = 10 ** (-50 / 20)
"""-50 dBFS: what is quieter is noise with a click in it."""

MIN_SECONDS = 2.0
MAX_SECONDS = MAX_MS / 1000
MAX_SOURCE_SECONDS = 120.0
"""A longer recording is refused: only its first 12 s would be used."""

RATES = (8_000, 192_000)
"""Hertz, least and most, of a recording."""

GOOD_RATE = 16_000
MAX_TRANSCRIPT_CHARS = 1_000
_FULL_STOPS = (". ", "。")


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """What the recording was like before anything was cut."""

    seconds: float
    sample_rate: int
    peak: float
    """Largest sample; 1 is full scale."""

    clipped_share: float
    """Of all samples, 0 to 1: those at full scale."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What will be heard in the voice; empty if nothing."""
        return (*self.sound_warnings, *self.length_warnings)

    @property
    def sound_warnings(self) -> tuple[str, ...]:
        """What a report on the recording's quality says more exactly."""
        found = []
        if self.sample_rate < GOOD_RATE:
            found.append(f"the recording has {self.sample_rate} Hz: the voice will sound dull")
        if self.clipped_share > 0.001:
            found.append(f"{self.clipped_share:.1%} of the samples are clipped")
        return tuple(found)

    @property
    def length_warnings(self) -> tuple[str, ...]:
        """What only counts for a reference."""
        if self.seconds <= MAX_SECONDS:
            return ()
        return (f"of {self.seconds:.1f} s at most {MAX_SECONDS:g} s are used: check the transcript",)


@dataclass(frozen=True, slots=True, eq=False)
class PreparedReference:
    """What a model is given, and what is kept of it."""

    pcm: Pcm
    """[N], the recording without silence, at its own level and rate: what is stored."""

    pcm_rate: int
    transcript: str
    """As it is put before a text: it ends in a full stop."""

    rms: float
    """Of `pcm`; 1 is full scale."""

    samples: Samples
    """[N], 24 kHz, at an RMS of 0.1 unless it was louder; single samples may exceed 1."""

    source: SourceFacts | None = None
    """How the recording was; None for a reference that was kept."""

    @property
    def seconds(self) -> float:
        """Duration, 50 ms of silence at the end included."""
        return len(self.pcm) / self.pcm_rate

    @property
    def gain(self) -> float:
        """What `samples` were raised by; speech is divided by it."""
        return max(TARGET_RMS / self.rms, 1.0)

    @property
    def sha256(self) -> str:
        """Of samples, rate and transcript: equal for equal references, on every machine."""
        digest = hashlib.sha256(f"{self.pcm_rate}\n{self.transcript}\n".encode())
        digest.update(self.pcm.astype("<i2").tobytes())
        return digest.hexdigest()

    def to_wav(self) -> bytes:
        """`pcm` as a file of 16 bit; `load_reference` makes the same reference from it."""
        file = io.BytesIO()
        with wave.open(file, "wb") as wav:
            wav.setparams((1, 2, self.pcm_rate, len(self.pcm), "NONE", ""))
            wav.writeframes(self.pcm.astype("<i2").tobytes())
        return file.getvalue()


def prepare_reference(source: Path | bytes | tuple[Samples, int], transcript: str) -> PreparedReference:
    """From a file of any common format, its bytes, or samples [N] with their rate.

    Raises `AudioError` for a file that cannot be read at all, and a `BadReference` that says what is wrong
    and what is accepted: no audio, a rate out of `RATES`, samples that are not finite, silence, less than 2 s
    of speech, no transcript. There is no recogniser here: the transcript has to come from the caller.
    """
    written = normal_transcript(transcript)
    samples, rate = source if isinstance(source, tuple) else decode_recording(source)
    facts = check_source(samples, rate)
    # More than full scale is possible in a float file, and only there.
    pcm, pcm_rate = trim_reference(to_s16(samples / np.float32(max(facts.peak, 1.0))), rate)
    seconds = (len(pcm) - tail_frames(pcm_rate)) / pcm_rate
    prepared = _finish(pcm, pcm_rate, written)
    if seconds <= 0 or prepared.rms < MIN_RMS:
        raise SilentReference(
            "nothing is heard in the recording",
            hint=f"accepted: {_ACCEPTED}, louder than -50 dBFS",
            param="file",
        )
    if seconds < MIN_SECONDS:
        raise ShortReference(
            f"the recording has {seconds:.1f} s of speech once silence is cut away",
            hint=f"accepted: {_ACCEPTED}",
            param="file",
        )
    return replace(prepared, source=facts)


def load_reference(wav: bytes, transcript: str) -> PreparedReference:
    """A reference that was kept: what `to_wav` gave, and `transcript`. Raises `AudioError` if it is none."""
    try:
        with wave.open(io.BytesIO(wav)) as file:
            if (file.getnchannels(), file.getsampwidth()) != (1, 2):
                raise AudioError("a kept reference has one channel of 16 bit")
            rate = file.getframerate()
            pcm = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.int16)
    except (wave.Error, EOFError) as error:
        raise AudioError(f"a kept reference cannot be read: {error}") from error
    if not pcm.any():
        raise AudioError("a kept reference is silent")
    return _finish(pcm, rate, transcript)


def normal_transcript(text: str) -> str:
    """White space as single blanks, and a full stop at its end. Raises `NoTranscript`, `BadReference`."""
    written = " ".join(text.split())
    if not written:
        raise NoTranscript(
            "what is said in the recording is not written",
            hint="give its transcript word for word; there is no recogniser here that would write it",
            param="transcript",
        )
    if len(written) > MAX_TRANSCRIPT_CHARS:
        raise BadReference(
            f"the transcript has {len(written)} characters, at most {MAX_TRANSCRIPT_CHARS} can be said in "
            f"{MAX_SECONDS:g} s",
            hint="give what is said in the recording, and no more",
            param="transcript",
        )
    if any(ord(one) < 32 or "\ud800" <= one <= "\udfff" for one in written):
        raise BadReference(
            "the transcript holds characters that cannot be said",
            hint="give it as plain text",
            param="transcript",
        )
    if written.endswith(_FULL_STOPS):
        return written
    return f"{written} " if written.endswith(".") else f"{written}. "


_ACCEPTED = f"{MIN_SECONDS:g} to {MAX_SECONDS:g} s of clear speech by one person"


def decode_recording(source: Path | bytes) -> tuple[Samples, int]:
    """Samples [N] and their rate. Raises `UnreadableReference`, and `AudioError` if there is no file."""
    data = source if isinstance(source, bytes) else _read(source)
    try:
        return decode_audio(data, max_seconds=MAX_SOURCE_SECONDS)
    except AudioError as error:
        raise UnreadableReference(
            error.message.replace("these bytes", "the recording"),
            hint="accepted: WAV, FLAC, MP3, Ogg, Opus, M4A, WebM and the like, at most "
            f"{MAX_SOURCE_SECONDS:g} s",
            param="file",
        ) from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise AudioError(f"cannot read `{path}`: {error.strerror}") from error


def check_source(samples: Samples, rate: int) -> SourceFacts:
    """What a recording is like. Raises `UnreadableReference` for its rate, `BrokenReference`."""
    least, most = RATES
    if not least <= rate <= most:
        raise UnreadableReference(
            f"the recording has a rate of {rate} Hz", hint=f"accepted: {least} to {most} Hz", param="file"
        )
    if not np.isfinite(samples).all():
        n_broken = int(np.count_nonzero(~np.isfinite(samples)))
        raise BrokenReference(
            f"{n_broken} samples of the recording are not finite", hint="export it again", param="file"
        )
    loudness = np.abs(samples)
    peak = float(loudness.max(initial=0.0))
    full = max(peak, 1.0) * (FULL_SCALE - 1) / FULL_SCALE
    clipped = float(np.count_nonzero(loudness >= full)) / max(len(samples), 1)
    return SourceFacts(len(samples) / rate, rate, peak, clipped)


def _finish(pcm: Pcm, rate: int, transcript: str) -> PreparedReference:
    """Raised and resampled, in that order: the level is measured before the filter."""
    samples = pcm.astype(np.float32) / np.float32(FULL_SCALE)
    rms = math.sqrt(float(np.mean(np.square(samples, dtype=np.float64))))
    if 0 < rms < TARGET_RMS:
        samples = samples * np.float32(TARGET_RMS / rms)
    return PreparedReference(pcm, rate, transcript, rms, sinc_resample(samples, rate, SAMPLE_RATE))
