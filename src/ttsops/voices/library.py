"""A folder of voices made from recordings.

    en-Alice_woman/voice.json                     who it is, consent, transcripts, which files
    en-Alice_woman/baseline.wav                   the recording it was imported with
    en-Alice_woman/override-0123456789abcdef.wav  what it speaks from instead, if anything

What counts is what `voice.json` says, and that file is replaced in one move: a crash or a full disk at any
moment leaves the old state or the new one. Whatever else lies about is removed by the next change. One
process changes the folder at a time; any number read it meanwhile.

A name in a request is looked up among the folder's entries, and never joined to a path.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

import msgspec

from ttsops.audio import write_atomically
from ttsops.audio.files import sync_directory
from ttsops.errors import AudioError, DuplicateVoice, NoOverride, VoiceNotFound
from ttsops.observe.logs import get_logger
from ttsops.speech import Voice
from ttsops.voices.keeping import clear_errors, keep_reference, one_line
from ttsops.voices.manifest import (
    MANIFEST_NAME,
    KeptReference,
    Manifest,
    describe_id,
    is_id,
    read_manifest,
)
from ttsops.voices.reference import PreparedReference, load_reference

Source = Literal["active", "baseline", "override"]

_LOCK_NAME = ".lock"
_DRAFT, _GONE = ".draft-", ".gone-"
_log = get_logger(__name__)

N_TRIES = 3
"""Of a reader whose file went away because the voice was changed in between."""


class VoiceLibrary:
    """The voices of one folder, which need not exist yet."""

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)

    # ---- reading -----------------------------------------------------------------------

    def ids(self) -> tuple[str, ...]:
        """Every voice there is, sorted."""
        return tuple(sorted(self._entries()))

    def voices(self) -> tuple[Voice, ...]:
        """For an engine's listing. What cannot be read is left out, with a warning in the log."""
        return tuple(Voice(one.id, one.name, one.language, one.gender) for one in self._manifests())

    def get(self, voice_id: str) -> Manifest:
        """All that is known of it. Raises `VoiceNotFound`, or `AudioError` if it cannot be read."""
        entry = self._entry(voice_id)
        try:
            return _read(entry)
        except AudioError:
            self._entry(voice_id)  # removed meanwhile: then there is no such voice
            raise

    def generation(self, voice_id: str) -> str:
        """A mark that is another one after every change of the voice, by any process: one `stat`.

        Raises `VoiceNotFound`.
        """
        try:
            status = (self._entry(voice_id) / MANIFEST_NAME).stat()
        except FileNotFoundError:
            raise self._not_found(voice_id) from None
        return f"{status.st_mtime_ns:x}-{status.st_ino:x}-{status.st_size:x}"

    def reference(self, voice_id: str, source: Source = "active") -> PreparedReference:
        """What the model is given. Raises `VoiceNotFound`, `NoOverride`, `AudioError`."""
        kept, wav = self._load(voice_id, source)
        reference = load_reference(wav, kept.transcript)
        if reference.sha256 != kept.sha256:
            raise AudioError(
                f"`{voice_id}/{kept.file}` is not what was kept there: it was changed or damaged"
            )
        return reference

    def audio(self, voice_id: str, source: Source = "active") -> bytes:
        """The recording as a WAV file. Raises `VoiceNotFound`, `NoOverride`, `AudioError`."""
        return self._load(voice_id, source)[1]

    # ---- changing ----------------------------------------------------------------------

    def add(
        self,
        voice_id: str,
        source: Path | bytes,
        transcript: str,
        *,
        consent: str,
        source_name: str = "",
        licence: str = "",
    ) -> Manifest:
        """A new voice from a recording.

        Raises `InvalidValue` for an id that is none, `NoConsent`, a `BadReference` (see `prepare_reference`),
        `DuplicateVoice` for an id or a recording that is there already, and `AudioError` if it cannot be
        written: then nothing has changed.
        """
        voice = describe_id(voice_id)
        kept, wav = keep_reference(source, transcript, consent, source_name, voice.name, "baseline.wav")
        manifest = Manifest(
            id=voice_id,
            name=voice.name,
            language=voice.language,
            gender=voice.gender,
            licence=one_line(licence, "licence"),
            created_at=kept.consent.recorded_at,
            baseline=kept,
        )
        with self._changing():
            self._refuse_name(voice_id)
            self._refuse_recording(voice_id, kept)
            draft = self.folder / f"{_DRAFT}{secrets.token_hex(8)}"
            try:
                with clear_errors(draft):
                    draft.mkdir()
                    write_atomically(draft / kept.file, wav)
                    write_atomically(draft / MANIFEST_NAME, manifest.to_json())
                    draft.rename(self.folder / voice.id)
                    sync_directory(self.folder)
            finally:
                shutil.rmtree(draft, ignore_errors=True)
        return manifest

    def remove(self, voice_id: str) -> None:
        """It and its recordings are gone. Raises `VoiceNotFound`, `AudioError`."""
        with self._changing():
            entry = self._entry(voice_id)
            with clear_errors(entry):
                gone = entry.rename(self.folder / f"{_GONE}{secrets.token_hex(8)}")
            shutil.rmtree(gone, ignore_errors=True)

    def set_override(
        self, voice_id: str, source: Path | bytes, transcript: str, *, consent: str, source_name: str = ""
    ) -> Manifest:
        """From now on the voice speaks from this recording. Raises as `add` does, or `VoiceNotFound`."""
        name = self.get(voice_id).name
        file = f"override-{secrets.token_hex(8)}.wav"
        kept, wav = keep_reference(source, transcript, consent, source_name, name, file)
        with self._changing():
            entry = self._entry(voice_id)
            self._refuse_recording(voice_id, kept)
            write_atomically(entry / file, wav)
            return _replace(entry, kept)

    def reset_override(self, voice_id: str) -> Manifest:
        """Back to what it was imported with; nothing happens if it speaks from that.

        Raises `VoiceNotFound`, `AudioError`.
        """
        with self._changing():
            entry = self._entry(voice_id)
            manifest = _read(entry)
            return _replace(entry, None) if manifest.override else manifest

    # ---- inside ------------------------------------------------------------------------

    def _entries(self) -> dict[str, Path]:
        try:
            with os.scandir(self.folder) as entries:
                return {one.name: Path(one.path) for one in entries if is_id(one.name) and one.is_dir()}
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise AudioError(f"cannot read the voices in `{self.folder}`: {error.strerror}") from error

    def _entry(self, voice_id: str) -> Path:
        try:
            return self._entries()[voice_id]
        except KeyError:
            raise self._not_found(voice_id) from None

    def _not_found(self, voice_id: str) -> VoiceNotFound:
        listed = (
            ", ".join(f"`{one}`" for one in self.ids()[:8]) or "none yet; `ttsops voices import` adds one"
        )
        return VoiceNotFound(f"there is no voice `{voice_id[:60]}`", hint=f"voices: {listed}", param="voice")

    def _manifests(self) -> Iterator[Manifest]:
        for voice_id, entry in sorted(self._entries().items()):
            try:
                yield _read(entry)
            except AudioError as error:
                _log.warning("voice_unreadable", voice=voice_id, reason=error.message)

    def _load(self, voice_id: str, source: Source) -> tuple[KeptReference, bytes]:
        for n_left in reversed(range(N_TRIES)):
            manifest = self.get(voice_id)
            kept = {"active": manifest.active, "baseline": manifest.baseline}.get(source, manifest.override)
            if kept is None:
                raise NoOverride(f"voice `{voice_id}` speaks from its baseline", param="source")
            try:
                return kept, (self._entry(voice_id) / kept.file).read_bytes()
            except OSError as error:
                if not n_left:
                    raise AudioError(f"cannot read `{voice_id}/{kept.file}`: {error.strerror}") from error
        raise AssertionError

    def _refuse_name(self, voice_id: str) -> None:
        """Also one that some file systems cannot tell from it."""
        for other in self._entries():
            if other.casefold() == voice_id.casefold():
                raise DuplicateVoice(
                    f"there is a voice `{other}` already",
                    hint="remove it first, or give it another reference",
                    param="name",
                )

    def _refuse_recording(self, voice_id: str, new: KeptReference) -> None:
        for other in self._manifests():
            if other.id != voice_id and any(new.sha256 == one.sha256 for one in other.references):
                raise DuplicateVoice(f"voice `{other.id}` has this recording already", param="file")

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """The folder to oneself. Leftovers of those who did not get to the end are removed first."""
        with clear_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = (self.folder / _LOCK_NAME).open("wb")
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # let go of when the file is closed, also by a kill
            for pattern in (f"{_DRAFT}*", f"{_GONE}*"):
                for leftover in self.folder.glob(pattern):
                    shutil.rmtree(leftover, ignore_errors=True)
            yield


def _read(entry: Path) -> Manifest:
    try:
        data = (entry / MANIFEST_NAME).read_bytes()
    except OSError as error:
        raise AudioError(f"cannot read `{entry.name}/{MANIFEST_NAME}`: {error.strerror}") from error
    return read_manifest(data, entry.name)


def _replace(entry: Path, override: KeptReference | None) -> Manifest:
    """The one move that counts; files that nothing names any more are removed after it."""
    manifest = msgspec.structs.replace(_read(entry), override=override)
    try:
        write_atomically(entry / MANIFEST_NAME, manifest.to_json())
    finally:
        kept = {one.file for one in _read(entry).references}
        for file in entry.glob("override-*.wav"):
            if file.name not in kept:
                with suppress(OSError):
                    file.unlink()
    return manifest
