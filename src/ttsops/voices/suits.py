"""Which engines a voice of the library suits, and why not the others.

What an engine wants is known here by its name: a voice is imported where the engine may not be installed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ttsops.speech import Voice
from ttsops.voices.manifest import Manifest
from ttsops.voices.reading import VoiceReader

WANT_REFERENCE: Final = ("f5",)
"""Engines that want 2 to 12 s and what is said in them."""

WANT_RECORDING: Final = ("vibevoice",)
"""Engines that want the recording alone: VibeVoice's long-form models."""


def unsuited(manifest: Manifest) -> Mapping[str, str]:
    """Engine → why it cannot speak as the voice; empty where it can."""
    reference = "" if manifest.active else manifest.no_reference or "it has no transcript"
    return dict.fromkeys(WANT_REFERENCE, reference) | dict.fromkeys(WANT_RECORDING, "")


def wants_reference(engine: str) -> bool:
    """Whether it needs the transcript; so does every engine that is not known here."""
    return engine not in WANT_RECORDING


def suited_voices(library: VoiceReader, engine: str) -> tuple[Voice, ...]:
    """Whom `engine` can speak as, sorted; what cannot be read is left out, with a warning in the log."""
    if wants_reference(engine):
        return library.voices()
    return tuple(manifest.voice for manifest in library.manifests())
