"""Answers about voices that callers made, and consents, in OpenAI's shape with fields of our own behind."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from ttsops.voices.consents import GivenConsent
from ttsops.voices.manifest import Manifest
from ttsops.voices.suits import unsuited


class MadeVoice(BaseModel):
    """A voice that was made from a recording."""

    id: str = Field(description="What a request for speech names", examples=["en-MyNewVoice_person"])
    object: Literal["audio.voice"]
    type: Literal["audio_sample"]
    name: str
    created_at: int = Field(description="Unix time in seconds")
    language: str
    gender: str
    seconds: float = Field(description="Of the recording, trimmed")
    snr_db: float | None = Field(description="Voice against noise; null for a voice of an earlier version")
    warnings: list[str] = Field(description="What will be heard in the voice")
    unsuited: dict[str, str] = Field(description="Engine → why it cannot speak as it; empty if it can")

    @staticmethod
    def of(manifest: Manifest) -> MadeVoice:
        """From what the library keeps."""
        kept = manifest.recording or manifest.baseline
        assert kept is not None
        return MadeVoice(
            id=manifest.id,
            object="audio.voice",
            type="audio_sample",
            name=manifest.name,
            created_at=_unix(manifest.created_at),
            language=manifest.language,
            gender=manifest.gender,
            seconds=kept.seconds,
            snr_db=manifest.recording.quality.snr_db if manifest.recording else None,
            warnings=list(manifest.findings),
            unsuited=dict(unsuited(manifest)),
        )


class DeletedVoice(BaseModel):
    """It is gone."""

    id: str
    object: Literal["audio.voice.deleted"]
    deleted: Literal[True]


class ConsentItem(BaseModel):
    """A recording in which somebody agrees."""

    id: str = Field(examples=["cons_0123456789abcdef01234567"])
    object: Literal["audio.voice_consent"]
    name: str
    language: str
    created_at: int = Field(description="Unix time in seconds")

    @staticmethod
    def of(consent: GivenConsent) -> ConsentItem:
        """From what is kept."""
        return ConsentItem(
            id=consent.id,
            object="audio.voice_consent",
            name=consent.name,
            language=consent.language,
            created_at=_unix(consent.created_at),
        )


class ConsentList(BaseModel):
    """The newest first."""

    object: Literal["list"]
    data: list[ConsentItem]
    first_id: str | None
    last_id: str | None
    has_more: bool


class DeletedConsent(BaseModel):
    """It is gone from the list; voices that were made with it keep their copy."""

    id: str
    object: Literal["audio.voice_consent"]
    deleted: Literal[True]


class ConsentName(BaseModel):
    """What a consent is called from now on."""

    name: str = Field(description="Who speaks in it")


def _unix(iso: str) -> int:
    return int(datetime.fromisoformat(iso).timestamp())
