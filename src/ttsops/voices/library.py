"""A folder of voices made from recordings.

    en-Alice_woman/voice.json                     who it is, consent, quality, transcripts, which files
    en-Alice_woman/recording.wav                  what it was imported with, for every engine
    en-Alice_woman/baseline.wav                   the same for those that want a transcript, if it suits
    en-Alice_woman/consent.audio                  the speaker agrees, where that was recorded
    en-Alice_woman/override-0123456789abcdef.wav  what it speaks from instead, if anything

What counts is what `voice.json` says, and that file is replaced in one move: a crash or a full disk at any
moment leaves the old state or the new one. Whatever else lies about is removed by the next change. One
process changes the folder at a time; any number read it meanwhile.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Mapping, Set
from contextlib import suppress
from pathlib import Path

import msgspec

from ttsops.audio import write_atomically
from ttsops.audio.files import sync_directory
from ttsops.errors import DuplicateVoice
from ttsops.voices.changing import DRAFT, GONE, changing
from ttsops.voices.keeping import clear_errors, keep_reference, keep_take, now, one_line, take_down
from ttsops.voices.manifest import (
    CONSENT_FILE,
    MANIFEST_NAME,
    Consent,
    KeptReference,
    Manifest,
    describe_id,
)
from ttsops.voices.reading import VoiceReader, read_voice


class VoiceLibrary(VoiceReader):
    """The same, with changes."""

    def add(
        self,
        voice_id: str,
        source: Path | bytes,
        transcript: str = "",
        *,
        consent: str | Consent,
        consent_recording: bytes = b"",
        source_name: str = "",
        licence: str = "",
        name: str = "",
        needs_reference: bool = False,
    ) -> Manifest:
        """A new voice from a recording; with `needs_reference` only one that suits engines that want one.

        Raises `InvalidValue` for an id that is none, `NoConsent`, a `BadReference` (see `keep_take`),
        `DuplicateVoice` for an id or a recording that is there already, and `AudioError` if it cannot be
        written: then nothing has changed.
        """
        voice = describe_id(voice_id)
        who = one_line(name, "name") or voice.name
        given = take_down(consent, who) if isinstance(consent, str) else consent
        take = keep_take(source, transcript, given, source_name, needs_reference=needs_reference)
        manifest = Manifest(
            id=voice_id,
            name=who,
            language=voice.language,
            gender=voice.gender,
            licence=one_line(licence, "licence"),
            created_at=now(),
            recording=take.recording,
            baseline=take.baseline,
            no_reference=take.refusal.message if take.refusal else "",
            no_reference_code=take.refusal.code if take.refusal else "",
        )
        files = take.files | ({CONSENT_FILE: consent_recording} if given.recording_sha256 else {})
        self.put(manifest, files)
        return manifest

    def put(self, manifest: Manifest, files: Mapping[str, bytes]) -> None:
        """A new voice from all its files but the manifest; their names are those that the manifest has.

        Raises `DuplicateVoice`, and `AudioError` if it cannot be written: then nothing has changed.
        """
        with changing(self.folder):
            self._refuse_name(manifest.id)
            self._refuse_recordings(manifest.id, manifest.hashes)
            draft = self.folder / f"{DRAFT}{secrets.token_hex(8)}"
            try:
                with clear_errors(draft):
                    draft.mkdir()
                    for name in manifest.files:
                        write_atomically(draft / name, files[name])
                    write_atomically(draft / MANIFEST_NAME, manifest.to_json())
                    draft.rename(self.folder / manifest.id)
                    sync_directory(self.folder)
            finally:
                shutil.rmtree(draft, ignore_errors=True)

    def remove(self, voice_id: str) -> None:
        """It and its recordings are gone. Raises `VoiceNotFound`, `AudioError`."""
        with changing(self.folder):
            entry = self._entry(voice_id)
            with clear_errors(entry):
                gone = entry.rename(self.folder / f"{GONE}{secrets.token_hex(8)}")
            shutil.rmtree(gone, ignore_errors=True)

    def set_override(
        self, voice_id: str, source: Path | bytes, transcript: str, *, consent: str, source_name: str = ""
    ) -> Manifest:
        """From now on the voice speaks from this recording. Raises as `add` does, or `VoiceNotFound`."""
        name = self.get(voice_id).name
        file = f"override-{secrets.token_hex(8)}.wav"
        kept, wav = keep_reference(source, transcript, take_down(consent, name), source_name, file)
        with changing(self.folder):
            entry = self._entry(voice_id)
            self._refuse_recordings(voice_id, {kept.sha256})
            write_atomically(entry / file, wav)
            return _replace(entry, kept)

    def reset_override(self, voice_id: str) -> Manifest:
        """Back to what it was imported with; nothing happens if it speaks from that.

        Raises `VoiceNotFound`, `AudioError`.
        """
        with changing(self.folder):
            entry = self._entry(voice_id)
            manifest = read_voice(entry)
            return _replace(entry, None) if manifest.override else manifest

    def _refuse_name(self, voice_id: str) -> None:
        """Also one that some file systems cannot tell from it."""
        for other in self._entries():
            if other.casefold() == voice_id.casefold():
                raise DuplicateVoice(
                    f"there is a voice `{other}` already",
                    hint="remove it first, or give it another reference",
                    param="name",
                )

    def _refuse_recordings(self, voice_id: str, hashes: Set[str]) -> None:
        for other in self.manifests():
            if other.id != voice_id and other.hashes & hashes:
                raise DuplicateVoice(f"voice `{other.id}` has this recording already", param="file")


def _replace(entry: Path, override: KeptReference | None) -> Manifest:
    """The one move that counts; files that nothing names any more are removed after it."""
    manifest = msgspec.structs.replace(read_voice(entry), override=override)
    try:
        write_atomically(entry / MANIFEST_NAME, manifest.to_json())
    finally:
        kept = {one.file for one in read_voice(entry).references}
        for file in entry.glob("override-*.wav"):
            if file.name not in kept:
                with suppress(OSError):
                    file.unlink()
    return manifest
