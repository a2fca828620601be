"""From a recording that somebody brought to what a library keeps of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from ttsops import __version__
from ttsops.errors import AudioError, InvalidValue, NoConsent
from ttsops.voices.manifest import Consent, KeptReference
from ttsops.voices.reference import prepare_reference

MAX_TEXT_CHARS = 1_000
"""Of a statement or licence."""

MAX_NAME_CHARS = 200


def keep_reference(
    source: Path | bytes, transcript: str, consent: str, source_name: str, who: str, file: str
) -> tuple[KeptReference, bytes]:
    """What is kept of a recording by `who` in `file`, and its audio as WAV.

    Raises `NoConsent`, a `BadReference` (see `prepare_reference`), `InvalidValue` for a statement that is too
    long, and `AudioError` for a file that cannot be read.
    """
    statement = one_line(consent, "consent")
    if not statement:
        raise NoConsent(
            "nobody said that the speaker agreed",
            hint="say who agreed, and when: `Alice agreed on 2026-11-01`",
            param="consent",
        )
    if isinstance(source, Path):
        source_name = source_name or source.name
        with clear_errors(source, "read"):
            source = source.read_bytes()
    prepared = prepare_reference(source, transcript)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    kept = KeptReference(
        file=file,
        transcript=prepared.transcript,
        sha256=prepared.sha256,
        seconds=round(prepared.seconds, 3),
        rms=round(prepared.rms, 6),
        sample_rate=prepared.pcm_rate,
        source_name=source_name.encode(errors="replace").decode()[:MAX_NAME_CHARS],
        source_sha256=hashlib.sha256(source).hexdigest(),
        warnings=prepared.source.warnings if prepared.source else (),
        consent=Consent(who=who, statement=statement, recorded_at=now),
        prepared_by=f"tts-ops {__version__}",
    )
    return kept, prepared.to_wav()


def one_line(text: str, param: str) -> str:
    """`text` for a manifest, white space as single blanks. Raises `InvalidValue` naming `param`."""
    line = " ".join(text.split())
    if any("\ud800" <= character <= "\udfff" for character in line):
        raise InvalidValue(f"`{param}` holds half of a character", param=param)
    if len(line) > MAX_TEXT_CHARS:
        raise InvalidValue(
            f"`{param}` has {len(line)} characters, at most {MAX_TEXT_CHARS} are kept", param=param
        )
    return line


@contextmanager
def clear_errors(path: Path, verb: str = "write") -> Iterator[None]:
    """An `OSError` inside becomes an `AudioError` that names `path`."""
    try:
        yield
    except OSError as error:
        raise AudioError(f"cannot {verb} `{path}`: {error.strerror or error}") from error
