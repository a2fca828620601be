"""Answers about the recordings that voices speak from, as they appear in the OpenAPI description."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from ttsops.voices.manifest import KeptReference, Manifest


class ReferenceItem(BaseModel):
    """One recording."""

    transcript: str = Field(description="What is said in it, as the model is given it")
    seconds: float = Field(description="Without the silence that was cut out of it")
    rms: float = Field(description="Its loudness; 1 is full scale")
    sample_rate: int = Field(description="Hertz")
    sha256: str = Field(description="Of its audio and transcript: another reference has another one")
    source_name: str = Field(description="The file it was made from")
    source_sha256: str
    consent: str = Field(description="That the speaker agreed, in the words of whoever brought it")
    recorded_at: str = Field(description="When it was brought: ISO 8601, UTC")
    warnings: list[str] = Field(description="What will be heard in the voice")

    @staticmethod
    def of(kept: KeptReference) -> ReferenceItem:
        """From what the library keeps."""
        return ReferenceItem(
            transcript=kept.transcript,
            seconds=kept.seconds,
            rms=kept.rms,
            sample_rate=kept.sample_rate,
            sha256=kept.sha256,
            source_name=kept.source_name,
            source_sha256=kept.source_sha256,
            consent=kept.consent.statement,
            recorded_at=kept.consent.recorded_at,
            warnings=list(kept.warnings),
        )


class VoiceReference(BaseModel):
    """What a voice speaks from."""

    object: Literal["voice.reference"]
    voice: str
    name: str
    language: str
    licence: str
    active: Literal["baseline", "override"] | None = Field(
        description="Which of the two it speaks from; null if it has neither"
    )
    baseline: ReferenceItem | None = Field(description="Null if it was imported without a transcript")
    override: ReferenceItem | None

    @staticmethod
    def of(manifest: Manifest) -> VoiceReference:
        """From what the library keeps."""
        return VoiceReference(
            object="voice.reference",
            voice=manifest.id,
            name=manifest.name,
            language=manifest.language,
            licence=manifest.licence,
            active="override" if manifest.override else "baseline" if manifest.baseline else None,
            baseline=ReferenceItem.of(manifest.baseline) if manifest.baseline else None,
            override=ReferenceItem.of(manifest.override) if manifest.override else None,
        )
