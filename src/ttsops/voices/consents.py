"""Recordings in which somebody agrees to be made a voice of, kept until a voice is made or they are deleted.

    consents/cons_0123456789abcdef01234567/consent.json    who, in which language, when
    consents/cons_0123456789abcdef01234567/consent.audio   the recording as it came

They lie in the folder of the voices. A voice takes a copy along: deleting a consent takes nothing from the
voices that were made with it. What is said in it is not understood here: somebody has to listen.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from ttsops.audio import write_atomically
from ttsops.audio.files import sync_directory
from ttsops.errors import AudioError, ConsentNotFound, InvalidValue
from ttsops.observe.logs import get_logger
from ttsops.voices.changing import DRAFT, GONE, changing
from ttsops.voices.keeping import clear_errors, now, one_line, short_name
from ttsops.voices.manifest import CONSENT_FILE, Consent
from ttsops.voices.recording import check_heard
from ttsops.voices.reference import check_source, decode_recording

FACTS_FILE: Final = "consent.json"
_ID = re.compile(r"cons_[0-9a-f]{24}")
_TAG = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
_log = get_logger(__name__)


class GivenConsent(Struct, frozen=True, kw_only=True):
    """One recording."""

    id: str
    name: str
    """Who speaks, or what the recording was called."""

    language: str
    """BCP 47 tag of what is said."""

    created_at: str
    """ISO 8601, UTC."""

    source_name: str = ""
    sha256: str
    """Of the file."""

    def for_voice(self) -> Consent:
        """As the manifest of a voice keeps it."""
        return Consent(
            who=self.name,
            statement=f"said in a recording in {self.language}, uploaded as `{self.name}`",
            recorded_at=self.created_at,
            id=self.id,
            recording_sha256=self.sha256,
        )


class ConsentBook:
    """All there are in the folder of a library."""

    def __init__(self, library_folder: Path) -> None:
        self.folder = library_folder / "consents"

    def add(self, name: str, language: str, recording: bytes, *, source_name: str = "") -> GivenConsent:
        """Raises `InvalidValue`, a `BadReference` for a recording in which nothing is heard, `AudioError`."""
        label = one_line(name, "name")
        if not label:
            raise InvalidValue("the consent has no name", hint="say who speaks", param="name")
        if not _TAG.fullmatch(language):
            raise InvalidValue(
                f"`{language[:30]}` is no language", hint="a BCP 47 tag such as `en-US`", param="language"
            )
        samples, rate = decode_recording(recording)
        check_source(samples, rate)
        check_heard(samples, rate)
        consent = GivenConsent(
            id=f"cons_{secrets.token_hex(12)}",
            name=label,
            language=language,
            created_at=now(),
            source_name=short_name(source_name),
            sha256=hashlib.sha256(recording).hexdigest(),
        )
        with changing(self.folder):
            draft = self.folder / f"{DRAFT}{secrets.token_hex(8)}"
            try:
                with clear_errors(draft):
                    draft.mkdir()
                    write_atomically(draft / CONSENT_FILE, recording)
                    write_atomically(draft / FACTS_FILE, _to_json(consent))
                    draft.rename(self.folder / consent.id)
                    sync_directory(self.folder)
            finally:
                shutil.rmtree(draft, ignore_errors=True)
        return consent

    def list(self) -> list[GivenConsent]:
        """The newest first; what cannot be read is left out, with a warning in the log."""
        found = []
        for consent_id, entry in self._entries().items():
            try:
                found.append(_read(entry))
            except AudioError as error:
                _log.warning("consent_unreadable", consent=consent_id, reason=error.message)
        return sorted(found, key=lambda one: (one.created_at, one.id), reverse=True)

    def get(self, consent_id: str) -> GivenConsent:
        """Raises `ConsentNotFound`, and `AudioError` if it cannot be read."""
        return _read(self._entry(consent_id))

    def recording(self, consent_id: str) -> bytes:
        """The file as it came. Raises `ConsentNotFound`, and `AudioError` if it is damaged."""
        consent = self.get(consent_id)
        path = self._entry(consent_id) / CONSENT_FILE
        with clear_errors(path, "read"):
            data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() != consent.sha256:
            raise AudioError(f"`{consent_id}/{CONSENT_FILE}` was changed or damaged")
        return data

    def rename(self, consent_id: str, name: str) -> GivenConsent:
        """Raises `ConsentNotFound`, `InvalidValue`, `AudioError`."""
        label = one_line(name, "name")
        if not label:
            raise InvalidValue("the consent has no name", hint="say who speaks", param="name")
        with changing(self.folder):
            entry = self._entry(consent_id)
            renamed = msgspec.structs.replace(_read(entry), name=label)
            write_atomically(entry / FACTS_FILE, _to_json(renamed))
        return renamed

    def remove(self, consent_id: str) -> None:
        """Raises `ConsentNotFound`, `AudioError`."""
        self._entry(consent_id)
        with changing(self.folder):
            entry = self._entry(consent_id)
            with clear_errors(entry):
                gone = entry.rename(self.folder / f"{GONE}{secrets.token_hex(8)}")
            shutil.rmtree(gone, ignore_errors=True)

    def _entries(self) -> dict[str, Path]:
        try:
            with os.scandir(self.folder) as entries:
                return {one.name: Path(one.path) for one in entries if _ID.fullmatch(one.name)}
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise AudioError(f"cannot read the consents in `{self.folder}`: {error.strerror}") from error

    def _entry(self, consent_id: str) -> Path:
        try:
            return self._entries()[consent_id]
        except KeyError:
            raise ConsentNotFound(
                f"there is no consent `{consent_id[:60]}`",
                hint="`POST /v1/audio/voice_consents` records one",
                param="consent",
            ) from None


def _to_json(consent: GivenConsent) -> bytes:
    return msgspec.json.format(msgspec.json.encode(consent), indent=1) + b"\n"


def _read(entry: Path) -> GivenConsent:
    with clear_errors(entry / FACTS_FILE, "read"):
        data = (entry / FACTS_FILE).read_bytes()
    try:
        return msgspec.json.decode(data, type=GivenConsent)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise AudioError(f"`{entry.name}/{FACTS_FILE}` cannot be read: {error}") from error
