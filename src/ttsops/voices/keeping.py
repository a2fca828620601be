"""From a recording that somebody brought to what a library keeps of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ttsops import __version__
from ttsops.errors import AudioError, BadReference, InvalidValue, NoConsent, NoTranscript
from ttsops.voices.manifest import RECORDING_FILE, Consent, KeptRecording, KeptReference
from ttsops.voices.recording import prepare_recording
from ttsops.voices.reference import PreparedReference, decode_recording, prepare_reference

BASELINE_FILE = "baseline.wav"
PREPARED_BY = f"tts-ops {__version__}"

MAX_TEXT_CHARS = 1_000
"""Of a statement or licence."""

MAX_NAME_CHARS = 200


@dataclass(frozen=True, slots=True)
class Take:
    """All that is kept of the recording a voice is imported with."""

    recording: KeptRecording
    baseline: KeptReference | None
    refusal: BadReference | None
    """Why there is no baseline."""

    files: dict[str, bytes]
    """Name → content."""


def keep_take(
    source: Path | bytes,
    transcript: str,
    consent: Consent,
    source_name: str,
    *,
    needs_reference: bool,
) -> Take:
    """What is kept for every engine, and for those that want a transcript if it suits them.

    Raises a `BadReference` for a recording no voice can be made from (see `prepare_recording`), and with
    `needs_reference` also for one that is no reference (see `prepare_reference`); `AudioError` for a file
    that cannot be read.
    """
    source, source_name = _read(source, source_name)
    samples, rate = decode_recording(source)
    reference: PreparedReference | None = None
    refusal: BadReference | None = None
    try:
        reference = prepare_reference((samples, rate), transcript)
    except BadReference as error:
        is_bad_text = error.param == "transcript" and not isinstance(error, NoTranscript)
        if needs_reference or is_bad_text:
            raise
        refusal = error
    prepared = prepare_recording(samples, rate)
    recording = KeptRecording(
        sha256=prepared.sha256,
        seconds=round(prepared.seconds, 3),
        source_name=short_name(source_name),
        source_sha256=hashlib.sha256(source).hexdigest(),
        quality=prepared.quality,
        consent=consent,
        prepared_by=PREPARED_BY,
    )
    files = {RECORDING_FILE: prepared.to_wav()}
    baseline = None
    if reference is not None:
        warnings = reference.source.length_warnings if reference.source else ()
        baseline = _kept(reference, source, source_name, BASELINE_FILE, consent, warnings)
        files[BASELINE_FILE] = reference.to_wav()
    return Take(recording, baseline, refusal, files)


def keep_reference(
    source: Path | bytes, transcript: str, consent: Consent, source_name: str, file: str
) -> tuple[KeptReference, bytes]:
    """What is kept of a recording in `file`, for engines that want a transcript, and its audio as WAV.

    Raises a `BadReference` (see `prepare_reference`), and `AudioError` for a file that cannot be read.
    """
    source, source_name = _read(source, source_name)
    prepared = prepare_reference(source, transcript)
    warnings = prepared.source.warnings if prepared.source else ()
    return _kept(prepared, source, source_name, file, consent, warnings), prepared.to_wav()


def take_down(statement: str, who: str) -> Consent:
    """A statement in words, now. Raises `NoConsent`, and `InvalidValue` for one that is too long."""
    line = one_line(statement, "consent")
    if not line:
        raise NoConsent(
            "nobody said that the speaker agreed",
            hint="say who agreed, and when: `Alice agreed on 2026-11-01`",
            param="consent",
        )
    return Consent(who=who, statement=line, recorded_at=now())


def now() -> str:
    """ISO 8601, UTC, seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def one_line(text: str, param: str) -> str:
    """`text` for a manifest, white space as single blanks. Raises `InvalidValue` naming `param`."""
    line = " ".join(text.split())
    if not is_plain(line):
        raise InvalidValue(f"`{param}` holds control characters, or half of a character", param=param)
    if len(line) > MAX_TEXT_CHARS:
        raise InvalidValue(
            f"`{param}` has {len(line)} characters, at most {MAX_TEXT_CHARS} are kept", param=param
        )
    return line


def is_plain(text: str) -> bool:
    """Whether it can be written and shown as it is: no control characters, no half of a surrogate pair."""
    return not any(one < " " or "\x7f" <= one <= "\x9f" or "\ud800" <= one <= "\udfff" for one in text)


def short_name(source_name: str) -> str:
    """The name of a file, for people."""
    shown = "".join(one if is_plain(one) else "?" for one in source_name)
    return shown[:MAX_NAME_CHARS]


@contextmanager
def clear_errors(path: Path, verb: str = "write") -> Iterator[None]:
    """An `OSError` inside becomes an `AudioError` that names `path`."""
    try:
        yield
    except OSError as error:
        raise AudioError(f"cannot {verb} `{path}`: {error.strerror or error}") from error


def _read(source: Path | bytes, source_name: str) -> tuple[bytes, str]:
    if isinstance(source, bytes):
        return source, source_name
    with clear_errors(source, "read"):
        return source.read_bytes(), source_name or source.name


def _kept(
    prepared: PreparedReference,
    source: bytes,
    source_name: str,
    file: str,
    consent: Consent,
    warnings: tuple[str, ...],
) -> KeptReference:
    return KeptReference(
        file=file,
        transcript=prepared.transcript,
        sha256=prepared.sha256,
        seconds=round(prepared.seconds, 3),
        rms=round(prepared.rms, 6),
        sample_rate=prepared.pcm_rate,
        source_name=short_name(source_name),
        source_sha256=hashlib.sha256(source).hexdigest(),
        warnings=warnings,
        consent=consent,
        prepared_by=PREPARED_BY,
    )
