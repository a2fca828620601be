"""What is judged of speech that was heard: length, pace, sound, words."""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ttsops.audio import Format, check_audio, decode_audio, save_speech
from ttsops.audio.checks import MAX_CLIPPED_SHARE
from ttsops.errors import NotInstalled
from ttsops.ops.accept.client import Client, Spoken
from ttsops.ops.accept.gate import Failed, Finding, Skipped, refuse
from ttsops.ops.quality.words import Recogniser, is_english, n_errors, words
from ttsops.settings import AcceptSettings
from ttsops.speech import SAMPLE_RATE

TEXTS = (
    "The old man walked slowly down to the river every morning.",
    "She opened the window and looked at the snow in the garden.",
    "The train to the city leaves in less than ten minutes.",
    "There is a large green tree in front of my window.",
)

FILE_PEAK_DBFS = -1.0
PEAK_TOLERANCE_DB = 0.1

MIN_OTHER_WER = 0.7
"""Of what was heard, held against another sentence: an ear that hears this, too, hears anything."""

_RATE_AT = 24
"""Offset of the sample rate in a WAV's header."""


@dataclass(frozen=True, slots=True)
class Said:
    """A text, and what was heard of it."""

    text: str
    spoken: Spoken

    @property
    def audio_seconds(self) -> float:
        """Playing time of 16 bit mono at 24 kHz."""
        return max(0, len(self.spoken.wav) - 44) / 2 / SAMPLE_RATE


def say_all(client: Client, texts: Sequence[str] = TEXTS) -> list[Said]:
    """One after the other. Raises `OSError` if the connection breaks."""
    return [Said(text, client.speak(text)) for text in texts]


def check_synthesis(said: Sequence[Said], limits: AcceptSettings, *, has_words: bool = True) -> Finding:
    """The gate: all of it, in time. Without words (random weights) its length says nothing."""
    problems = [f"{one.text!r}: {one.spoken.problem}" for one in said if one.spoken.problem]
    refuse(problems)
    audio_seconds = sum(one.audio_seconds for one in said)
    if not audio_seconds or any(not one.spoken.chunks for one in said):
        raise Failed("there is an answer without audio")
    if has_words:
        problems += [problem for one in said if (problem := _too_short(one, limits))]
    first = max(one.spoken.first_chunk_seconds for one in said)
    rtf = sum(one.spoken.seconds for one in said) / audio_seconds
    n_chunks = sum(one.spoken.chunks for one in said)
    if first > limits.max_first_chunk_seconds:
        problems.append(
            f"the first chunk comes after {first:.2f} s, accepted are {limits.max_first_chunk_seconds:g} s"
        )
    if not limits.min_rtf <= rtf <= limits.max_rtf:
        problems.append(f"RTF {rtf:.3g} is not between {limits.min_rtf:g} and {limits.max_rtf:g}")
    refuse(problems)
    length = "" if has_words else ", its length is not judged: random weights"
    return Finding(
        f"{len(said)} texts, {audio_seconds:.1f} s of speech in {n_chunks} chunks, "
        f"first chunk {1000 * first:.0f} ms, RTF {rtf:.3g}{length}",
        {"audio_seconds": audio_seconds, "chunks": n_chunks, "first_chunk_seconds": first, "rtf": rtf},
    )


def _too_short(one: Said, limits: AcceptSettings) -> str:
    target = len(one.text) / limits.chars_per_second
    share = one.audio_seconds / target
    if share >= limits.min_duration_share:
        return ""
    return f"{one.text!r} has {one.audio_seconds:.2f} s, {share:.0%} of its target of {target:.2f} s"


def check_sound(said: Sequence[Said], limits: AcceptSettings, *, has_words: bool = True) -> Finding:
    """The gate: what any listener would complain about, and the level of files.

    The mean of what random weights make says nothing.
    """
    problems: list[str] = []
    peak = dc = 0.0
    for one in said:
        samples, _ = decode_audio(one.spoken.wav)
        rate = rate_of(one.spoken.wav)
        report = check_audio(samples, rate)
        found = []
        if rate != SAMPLE_RATE:
            found.append(f"its rate is {rate} Hz, not {SAMPLE_RATE}")
        if not report.is_finite:
            found.append(f"{report.n_not_finite} samples are not finite")
        if report.peak_dbfs > 0:
            found.append(f"its peak is {report.peak_dbfs:+.1f} dBFS")
        if has_words and abs(report.dc_offset) >= limits.max_dc_offset:
            found.append(f"its mean is {report.dc_offset:+.3f} of full scale")
        if report.silent_share == 1.0:
            found.append("there is only silence")
        if report.n_clipped > MAX_CLIPPED_SHARE * report.n_samples:
            found.append(f"{report.n_clipped} samples are clipped")
        if not found and (problem := _file_problem(one)):
            found.append(problem)
        problems += [f"{one.text!r}: {what}" for what in found]
        peak = max(peak, float(abs(samples).max()))
        dc = max(dc, abs(report.dc_offset))
    refuse(problems)
    not_judged = "" if has_words else ", DC is not judged: random weights"
    return Finding(
        f"24 kHz, peak {peak:.2f}, DC {dc:.4f}, files at {FILE_PEAK_DBFS:g} dBFS{not_judged}",
        {"peak": peak, "dc_offset": dc},
    )


def rate_of(wav: bytes) -> int:
    """As the header says it. Raises `Failed` for what is no WAV."""
    if wav[:4] != b"RIFF" or len(wav) < _RATE_AT + 4:
        raise Failed("the answer is no WAV file")
    (rate,) = struct.unpack_from("<I", wav, _RATE_AT)
    return int(rate)


def _file_problem(one: Said) -> str:
    """Of the file that `ttsops say` would write."""
    samples, _ = decode_audio(one.spoken.wav)
    with tempfile.TemporaryDirectory(prefix="ttsops-accept-") as folder:
        path = Path(folder) / "speech.wav"
        save_speech(path, samples, Format.WAV, "acceptance")
        peak = check_audio(decode_audio(path)[0], SAMPLE_RATE).peak_dbfs
    is_right = abs(peak - FILE_PEAK_DBFS) <= PEAK_TOLERANCE_DB
    return "" if is_right else f"its file has its peak at {peak:.2f} dBFS, not at {FILE_PEAK_DBFS:g}"


def check_words(said: Sequence[Said], limits: AcceptSettings, *, language: str, note: str) -> Finding:
    """The gate: an offline recogniser hears the words, and hears them in no other sentence."""
    if note:
        raise Skipped(note)
    if not is_english(language):
        raise Skipped(f"the recogniser knows English only, and the voice speaks {language}")
    try:
        recogniser = Recogniser()
    except NotInstalled as error:
        raise Skipped(f"{error.message}: {error.hint}") from error
    errors = n_said = errors_of_others = n_of_others = 0
    for number, one in enumerate(said):
        samples, rate = decode_audio(one.spoken.wav)
        heard = recogniser.hear(samples, rate, one.text)
        errors, n_said = errors + heard.errors, n_said + heard.said
        other = words(said[number - 1].text)
        errors_of_others += n_errors(other, words(heard.text))
        n_of_others += len(other)
    wer, other_wer = errors / n_said, errors_of_others / n_of_others
    refuse(
        [f"{wer:.0%} of the words are mistaken, accepted are {limits.max_wer:.0%}"] * (wer > limits.max_wer)
    )
    if len(said) > 1 and other_wer < MIN_OTHER_WER:
        raise Failed(f"the recogniser hears {1 - other_wer:.0%} of the words of other sentences, too")
    return Finding(f"{errors} of {n_said} words mistaken by the recogniser", {"wer": wer})
