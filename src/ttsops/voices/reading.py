"""A folder of voices made from recordings, as those who speak from it and list it see it.

A name in a request is looked up among the folder's entries, and never joined to a path.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from ttsops.errors import AudioError, NoOverride, VoiceNotFound
from ttsops.observe.logs import get_logger
from ttsops.speech import Samples, Voice
from ttsops.voices.changing import mark_of
from ttsops.voices.manifest import MANIFEST_NAME, KeptReference, Manifest, is_id, read_manifest
from ttsops.voices.recording import load_recording, recording_samples, recording_sha256
from ttsops.voices.reference import PreparedReference, load_reference

Source = Literal["active", "baseline", "override"]

_log = get_logger(__name__)

N_TRIES = 3
"""Of a reader whose file went away because the voice was changed in between."""


class VoiceReader:
    """The voices of one folder, which need not exist yet."""

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)

    def ids(self) -> tuple[str, ...]:
        """Every voice there is, sorted."""
        return tuple(sorted(self._entries()))

    def voices(self) -> tuple[Voice, ...]:
        """For the listing of an engine that wants a transcript: those with a reference.

        What cannot be read is left out, with a warning in the log.
        """
        return tuple(one.voice for one in self.manifests() if one.active)

    def manifests(self) -> Iterator[Manifest]:
        """Of every voice that can be read, sorted; what cannot is left out, with a warning in the log."""
        for voice_id, entry in sorted(self._entries().items()):
            try:
                yield read_voice(entry)
            except AudioError as error:
                _log.warning("voice_unreadable", voice=voice_id, reason=error.message)

    def mark(self) -> int:
        """Another value after every change of any voice, by any process: one `stat`; 0 without a folder."""
        return mark_of(self.folder)

    def get(self, voice_id: str) -> Manifest:
        """All that is known of it. Raises `VoiceNotFound`, or `AudioError` if it cannot be read."""
        entry = self._entry(voice_id)
        try:
            return read_voice(entry)
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
            raise _changed(voice_id, kept.file)
        return reference

    def audio(self, voice_id: str, source: Source = "active") -> bytes:
        """What the model is given as a WAV file. Raises `VoiceNotFound`, `NoOverride`, `AudioError`."""
        return self._load(voice_id, source)[1]

    def recording(self, voice_id: str) -> Samples:
        """What it was imported with, [N] at 24 kHz: for engines that need no transcript.

        Raises `VoiceNotFound`, and `AudioError` if it is damaged.
        """
        kept = self.get(voice_id).recording
        if kept is None:
            # Imported before there were recordings for every engine: the reference is the next best.
            return self.reference(voice_id, "baseline").samples
        pcm = load_recording(self.file(voice_id, kept.file))
        if recording_sha256(pcm) != kept.sha256:
            raise _changed(voice_id, kept.file)
        return recording_samples(pcm)

    def file(self, voice_id: str, name: str) -> bytes:
        """One of the files its manifest names. Raises `VoiceNotFound`, `AudioError`."""
        if name not in self.get(voice_id).files:
            raise AudioError(f"voice `{voice_id}` has no file of that name")
        try:
            return (self._entry(voice_id) / name).read_bytes()
        except OSError as error:
            raise AudioError(f"cannot read `{voice_id}/{name}`: {error.strerror}") from error

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
        listed = ", ".join(f"`{one}`" for one in self.ids()[:8]) or "none yet; `ttsops voice import` adds one"
        return VoiceNotFound(f"there is no voice `{voice_id[:60]}`", hint=f"voices: {listed}", param="voice")

    def _load(self, voice_id: str, source: Source) -> tuple[KeptReference, bytes]:
        for n_left in reversed(range(N_TRIES)):
            manifest = self.get(voice_id)
            kept = {"active": manifest.active, "baseline": manifest.baseline}.get(source, manifest.override)
            if kept is None and (source == "override" and manifest.baseline):
                raise NoOverride(f"voice `{voice_id}` speaks from its baseline", param="source")
            if kept is None:
                raise NoOverride(
                    f"voice `{voice_id}` has no reference with a transcript: {manifest.no_reference}",
                    hint="give it one: `POST /api/voices/{voice}/reference`",
                    param="source",
                )
            try:
                return kept, (self._entry(voice_id) / kept.file).read_bytes()
            except OSError as error:
                if not n_left:
                    raise AudioError(f"cannot read `{voice_id}/{kept.file}`: {error.strerror}") from error
        raise AssertionError


def _changed(voice_id: str, file: str) -> AudioError:
    return AudioError(f"`{voice_id}/{file}` is not what was kept there: it was changed or damaged")


def read_voice(entry: Path) -> Manifest:
    """The manifest in the folder of a voice. Raises `AudioError`."""
    try:
        data = (entry / MANIFEST_NAME).read_bytes()
    except OSError as error:
        raise AudioError(f"cannot read `{entry.name}/{MANIFEST_NAME}`: {error.strerror}") from error
    return read_manifest(data, entry.name)
