"""What is kept about a voice that is made from recordings: `voice.json`, and the ids of voices.

An id says what there is to know at a glance: `en-Alice_woman` is a language, a name and a gender, as the
published voices of VibeVoice are called. It has no character that means anything to a file system.
"""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from ttsops.errors import AudioError, InvalidValue
from ttsops.speech import Voice

FORMAT: Final = 1
"""Of the manifest; a newer one is refused, not misread."""

MANIFEST_NAME: Final = "voice.json"
_ID = re.compile(
    r"(?P<language>[a-z]{2,3}(-[A-Z]{2})?)-(?P<name>[A-Za-z0-9]{1,40})_(?P<gender>woman|man|person)"
)
_GENDERS: dict[str, Literal["female", "male", "neutral"]] = {
    "woman": "female",
    "man": "male",
    "person": "neutral",
}
_AUDIO_NAME = r"^(baseline|override-[0-9a-f]{16})\.wav$"


class Consent(Struct, frozen=True, kw_only=True):
    """The speaker agreed."""

    who: str
    """The person who speaks."""

    statement: str
    """In the words of whoever brought the recording."""

    recorded_at: str
    """When the statement was taken down: ISO 8601, UTC."""


class KeptReference(Struct, frozen=True, kw_only=True):
    """One recording of a voice."""

    file: Annotated[str, Meta(pattern=_AUDIO_NAME)]
    """Its audio, beside the manifest: without silence, 16 bit, one channel."""

    transcript: str
    """As the model wants it."""

    sha256: str
    """Of audio and transcript, see `PreparedReference`."""

    seconds: float
    rms: float
    sample_rate: int
    source_name: str
    """The file it was made from, for people; never used as a path."""

    source_sha256: str
    """Of that file."""

    warnings: tuple[str, ...] = ()
    consent: Consent
    prepared_by: str
    """The program that cut it, with its version."""


class Manifest(Struct, frozen=True, kw_only=True):
    """A voice: who it is, and what it speaks from."""

    format: int = FORMAT
    id: str
    name: str
    language: str
    gender: Literal["female", "male", "neutral", ""] = ""
    licence: str
    """What may be done with the voice."""

    created_at: str
    baseline: KeptReference
    """What it was imported with."""

    override: KeptReference | None = None
    """What it speaks from instead, until that is taken back."""

    @property
    def active(self) -> KeptReference:
        """What it speaks from."""
        return self.override or self.baseline

    @property
    def references(self) -> tuple[KeptReference, ...]:
        """One or two."""
        return (self.baseline, self.override) if self.override else (self.baseline,)

    def to_json(self) -> bytes:
        """As a file, for people too."""
        return msgspec.json.format(msgspec.json.encode(self), indent=1) + b"\n"


def read_manifest(data: bytes, voice_id: str) -> Manifest:
    """From a file. Raises `AudioError` if it is none, or that of another voice."""
    try:
        manifest = msgspec.json.decode(data, type=Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise AudioError(f"`{voice_id}/{MANIFEST_NAME}` cannot be read: {error}") from error
    if manifest.format > FORMAT or manifest.id != voice_id:
        raise AudioError(
            f"`{voice_id}/{MANIFEST_NAME}` is of voice `{manifest.id}` in format {manifest.format}; format "
            f"{FORMAT} of the folder's own voice is expected"
        )
    return manifest


def describe_id(voice_id: str) -> Voice:
    """What an id says. Raises `InvalidValue` for one that is none."""
    match = _ID.fullmatch(voice_id)
    if not match:
        raise InvalidValue(
            f"`{voice_id[:60]}` cannot be the id of a voice",
            hint="language, name and `woman`, `man` or `person`: `en-Alice_woman`, `zh-CN-Mei_woman`",
            param="name",
        )
    return Voice(voice_id, match["name"], match["language"], _GENDERS[match["gender"]])


def is_id(name: str) -> bool:
    """Whether `name` can be the id of a voice."""
    return _ID.fullmatch(name) is not None
