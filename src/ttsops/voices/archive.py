"""One voice as one file, and back: a ZIP of what is in its folder, checked like a stranger's when it comes.

    voice.json  recording.wav  baseline.wav  override-….wav  consent.audio

Nothing is unpacked by the names in it: the manifest says which files there are, and each is read into memory.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from ttsops.errors import AudioError, BadReference, TtsOpsError
from ttsops.voices.keeping import is_plain
from ttsops.voices.library import VoiceLibrary
from ttsops.voices.manifest import CONSENT_FILE, MANIFEST_NAME, Manifest, describe_id, read_manifest
from ttsops.voices.recording import load_recording, recording_sha256
from ttsops.voices.reference import load_reference

MAX_FILE_BYTES: Final = 32 * 2**20
"""Of one file in it, unpacked; a recording of 30 s has less than 2 MiB."""

_WHEN = (1980, 1, 1, 0, 0, 0)
"""Of every file: the same voice gives the same bytes."""


_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    ValueError,
    KeyError,  # no such member
    NotImplementedError,  # a compression that zipfile does not have
    EOFError,
    OSError,
    RuntimeError,  # encrypted
)


def export_voice(library: VoiceLibrary, voice_id: str) -> bytes:
    """All that is kept of the voice. Raises `VoiceNotFound`, `AudioError`."""
    manifest = library.get(voice_id)
    files = {MANIFEST_NAME: manifest.to_json()}
    files |= {name: library.file(voice_id, name) for name in manifest.files}
    _check(manifest, files)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, _WHEN), data, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def import_voice(library: VoiceLibrary, packed: bytes) -> Manifest:
    """The voice again, with its consent as it was.

    Raises `BadReference` for what is no exported voice or is damaged, `DuplicateVoice`, and `AudioError` if
    it cannot be written: then nothing has changed.
    """
    manifest, files = read_archive(packed)
    library.put(manifest, files)
    return manifest


def read_archive(packed: bytes) -> tuple[Manifest, Mapping[str, bytes]]:
    """What is in it. Raises `BadReference`."""
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            data = _member(archive, MANIFEST_NAME)
            manifest = read_manifest(data, None)
            describe_id(manifest.id)
            if not all(map(is_plain, _texts(msgspec.to_builtins(manifest)))):
                raise AudioError("it holds control characters")
            files = {name: _member(archive, name) for name in manifest.files}
        _check(manifest, files)
    except _BROKEN as error:
        raise _refusal(str(error)) from error
    except TtsOpsError as error:
        raise _refusal(error.message) from error
    return manifest, files


def _texts(tree: object) -> Iterator[str]:
    """Every string in it: they are shown on terminals."""
    if isinstance(tree, str):
        yield tree
    elif isinstance(tree, Mapping):
        for value in tree.values():
            yield from _texts(value)
    elif isinstance(tree, list | tuple):
        for value in tree:
            yield from _texts(value)


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as file:
        data = file.read(MAX_FILE_BYTES + 1)  # never trust the size that is written there
    if len(data) > MAX_FILE_BYTES:
        raise AudioError(f"`{name}` is larger than {MAX_FILE_BYTES} bytes")
    return data


def _check(manifest: Manifest, files: Mapping[str, bytes]) -> None:
    """Raises `AudioError` if a file is not what the manifest says."""
    voice_id = manifest.id
    sums = {one.file: one.sha256 for one in manifest.references}
    found = {one.file: load_reference(files[one.file], one.transcript).sha256 for one in manifest.references}
    if manifest.recording:
        file = manifest.recording.file
        sums[file], found[file] = (
            manifest.recording.sha256,
            recording_sha256(load_recording(files[file])),
        )
    if manifest.consent.recording_sha256:
        sums[CONSENT_FILE] = manifest.consent.recording_sha256
        found[CONSENT_FILE] = hashlib.sha256(files[CONSENT_FILE]).hexdigest()
    for name, wanted in sums.items():
        if found[name] != wanted:
            raise AudioError(f"`{voice_id}/{name}` is not what was kept there: it was changed or damaged")


def _refusal(why: str) -> BadReference:
    return BadReference(
        f"this is no exported voice, or it is damaged: {why}",
        hint="`ttsops voice export` writes them",
        param="file",
    )
