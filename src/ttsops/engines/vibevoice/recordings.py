"""Where recordings of voices come from: a library, or nobody's for a model without weights.

Each has a generation: when it changes, somebody put another recording in its place, and the next utterance
speaks with that.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Protocol

from ttsops.engines.nn.hums import PITCHES, check_hum, hum, hum_voices
from ttsops.engines.vibevoice.card import CARD
from ttsops.speech import Samples, Voice
from ttsops.voices.library import VoiceLibrary
from ttsops.voices.suits import suited_voices


class Recordings(Protocol):
    """Recordings by voice."""

    def voices(self) -> Sequence[Voice]:
        """Everybody there is a recording of, now."""
        ...

    def generation(self, voice_id: str) -> Hashable:
        """Another value after each change; cheap. Raises `VoiceNotFound`."""
        ...

    def recording(self, voice_id: str) -> Samples:
        """[N] at 24 kHz. Raises `VoiceNotFound`, `AudioError`."""
        ...


class LibraryRecordings:
    """Those of a folder of imported voices."""

    def __init__(self, library: VoiceLibrary) -> None:
        self._library = library

    def voices(self) -> Sequence[Voice]:
        """All of them: none needs a transcript."""
        return suited_voices(self._library, CARD.name)

    def generation(self, voice_id: str) -> Hashable:
        """One `stat`."""
        return self._library.generation(voice_id)

    def recording(self, voice_id: str) -> Samples:
        """What the voice was imported with."""
        return self._library.recording(voice_id)


class HummedRecordings:
    """Two voices for a model without weights, which are recordings of nobody."""

    def voices(self) -> Sequence[Voice]:
        """Always the same two."""
        return hum_voices()

    def generation(self, voice_id: str) -> Hashable:
        """Never another."""
        check_hum(voice_id)
        return None

    def recording(self, voice_id: str) -> Samples:
        """A tone with overtones."""
        return hum(voice_id)


class HumsUntilRecorded:
    """For a model without weights: a library's voices, and the hums while it has none."""

    def __init__(self, recorded: Recordings) -> None:
        self._recorded = recorded
        self._hums = HummedRecordings()

    def voices(self) -> Sequence[Voice]:
        """Those with a recording, or the hums."""
        return self._recorded.voices() or self._hums.voices()

    def generation(self, voice_id: str) -> Hashable:
        """That of whoever has the voice."""
        return self._of(voice_id).generation(voice_id)

    def recording(self, voice_id: str) -> Samples:
        """That of whoever has the voice."""
        return self._of(voice_id).recording(voice_id)

    def _of(self, voice_id: str) -> Recordings:
        return self._hums if voice_id in PITCHES else self._recorded
