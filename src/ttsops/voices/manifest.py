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
from ttsops.voices.quality import VoiceQuality

FORMAT: Final = 2
"""Of the manifest; a newer one is refused, not misread. The first had no recording for every engine."""

MANIFEST_NAME: Final = "voice.json"
_ID = re.compile(
    r"(?P<language>[a-z]{2,3}(-[A-Z]{2})?)-(?P<name>[A-Za-z0-9]{1,40})_(?P<gender>woman|man|person)"
)
_GENDERS: dict[str, Literal["female", "male", "neutral"]] = {
    "woman": "female",
    "man": "male",
    "person": "neutral",
}
CONSENT_FILE: Final = "consent.audio"
RECORDING_FILE: Final = "recording.wav"
_AUDIO_NAME = r"^(baseline|override-[0-9a-f]{16})\.wav$"


class Consent(Struct, frozen=True, kw_only=True):
    """The speaker agreed."""

    who: str
    """The person who speaks."""

    statement: str
    """In the words of whoever brought the recording."""

    recorded_at: str
    """When the statement was taken down: ISO 8601, UTC."""

    id: str = ""
    """Of a consent that was uploaded before the voice; empty for a statement in words alone."""

    recording_sha256: str = ""
    """Of `consent.audio` beside the manifest, in which the speaker agrees; empty if there is none."""


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


class KeptRecording(Struct, frozen=True, kw_only=True):
    """What a voice was imported with, for engines that need no transcript: 24 kHz, levelled."""

    file: Literal["recording.wav"] = RECORDING_FILE
    sha256: str
    """Of its samples."""

    seconds: float
    source_name: str
    source_sha256: str
    quality: VoiceQuality
    """Of the source, before it was levelled."""

    consent: Consent
    prepared_by: str


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
    recording: KeptRecording | None = None
    """None for a voice that was imported before there were any."""

    baseline: KeptReference | None = None
    """What engines that want a transcript were given at the import; None if it was no reference for them."""

    no_reference: str = ""
    """Why there is no baseline."""

    no_reference_code: str = ""
    """The same as the code of an error: `no_transcript`, `short_reference`, …"""

    override: KeptReference | None = None
    """What it speaks from instead, until that is taken back."""

    @property
    def active(self) -> KeptReference | None:
        """What it speaks from, where a transcript is wanted."""
        return self.override or self.baseline

    @property
    def references(self) -> tuple[KeptReference, ...]:
        """None, one or two."""
        return tuple(one for one in (self.baseline, self.override) if one)

    @property
    def voice(self) -> Voice:
        """As an engine lists it."""
        return Voice(self.id, self.name, self.language, self.gender)

    @property
    def files(self) -> tuple[str, ...]:
        """What lies beside the manifest."""
        kept = (*((self.recording,) if self.recording else ()), *self.references)
        return (*(one.file for one in kept), *([CONSENT_FILE] if self.consent.recording_sha256 else []))

    @property
    def hashes(self) -> frozenset[str]:
        """Of all it is made from: two voices have none in common."""
        own = {self.recording.sha256} if self.recording else set()
        return frozenset(own | {one.sha256 for one in self.references})

    @property
    def consent(self) -> Consent:
        """To what it was imported with."""
        made_from = self.recording or self.baseline
        assert made_from is not None, "`read_manifest` lets none through without"
        return made_from.consent

    @property
    def findings(self) -> tuple[str, ...]:
        """What will be heard in the voice."""
        heard = [one.text for one in self.recording.quality.findings] if self.recording else []
        return (*heard, *(self.baseline.warnings if self.baseline else ()))

    def to_json(self) -> bytes:
        """As a file, for people too."""
        return msgspec.json.format(msgspec.json.encode(self), indent=1) + b"\n"


def read_manifest(data: bytes, voice_id: str | None) -> Manifest:
    """From a file. Raises `AudioError` if it is none, or that of another voice than `voice_id`, if given."""
    where = f"{voice_id}/{MANIFEST_NAME}" if voice_id else MANIFEST_NAME
    try:
        manifest = msgspec.json.decode(data, type=Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise AudioError(f"`{where}` cannot be read: {error}") from error
    if manifest.format > FORMAT or manifest.id != (voice_id or manifest.id):
        raise AudioError(
            f"`{where}` is of voice `{manifest.id}` in format {manifest.format}; format "
            f"{FORMAT} of the folder's own voice is expected"
        )
    if manifest.recording is None and manifest.baseline is None:
        raise AudioError(f"`{where}` names no recording")
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
