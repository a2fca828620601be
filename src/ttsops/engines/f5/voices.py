"""Voices as the network is shown them: the mel of a reference and what is said in it, made once for each.

Where references come from is not known here. Each has a generation: when it changes, somebody put another
recording in its place, and the next utterance speaks with that.

Legend: n frames, N samples.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from ttsops.engines.f5.durations import HOP, VoicePace, with_blank
from ttsops.engines.f5.mel import MelSpectrogram
from ttsops.engines.nn.hums import PITCHES, RMS, check_hum, hum, hum_voices
from ttsops.errors import UnknownVoice, VoiceNotFound
from ttsops.speech import Samples, Voice

TARGET_RMS = 0.1
"""Quieter references are made as loud as this, and what is spoken with them as quiet again."""


class Reference(Protocol):
    """A recording, prepared: trimmed, at 24 kHz, at least as loud as `TARGET_RMS`."""

    @property
    def samples(self) -> Samples:
        """[N] at 24 kHz."""
        ...

    @property
    def transcript(self) -> str:
        """What is said in it, ended as the model expects."""
        ...

    @property
    def rms(self) -> float:
        """Of the recording before it was made louder."""
        ...


class References(Protocol):
    """Recordings by voice."""

    def voices(self) -> Sequence[Voice]:
        """Everybody there is a recording of, now."""
        ...

    def generation(self, voice_id: str) -> Hashable:
        """Another value after each change; cheap. Raises `VoiceNotFound`."""
        ...

    def reference(self, voice_id: str) -> Reference:
        """The recording in force. Raises `VoiceNotFound`, `AudioError`."""
        ...


@dataclass(frozen=True, slots=True)
class VoiceState:
    """What a flow is conditioned on."""

    mel: Tensor
    """Of the reference [n, mels], fp32, on the model's device."""

    prefix: str
    """The transcript, as it stands before a chunk's text."""

    pace: VoicePace
    loudness: float
    """Factor on what is spoken, at most 1."""


class VoiceShelf:
    """Voice states by id, made when they are first asked for."""

    def __init__(self, references: References, mel: MelSpectrogram) -> None:
        self._references = references
        self._mel = mel
        self._states: dict[str, tuple[Hashable, VoiceState]] = {}

    def voices(self) -> Sequence[Voice]:
        """Everybody it can give a state of."""
        return self._references.voices()

    def state(self, voice_id: str) -> VoiceState:
        """Raises `UnknownVoice`, and `AudioError` for a reference that cannot be read."""
        try:
            generation = self._references.generation(voice_id)
        except VoiceNotFound as e:
            self._states.pop(voice_id, None)
            raise UnknownVoice(e.message, hint=e.hint, param="voice") from e
        known = self._states.get(voice_id)
        if known is not None and known[0] == generation:
            return known[1]
        state = self._made(self._references.reference(voice_id))
        self._states[voice_id] = (generation, state)
        return state

    @torch.inference_mode()
    def _made(self, reference: Reference) -> VoiceState:
        samples = torch.from_numpy(np.ascontiguousarray(reference.samples, np.float32))
        return VoiceState(
            mel=self._mel(samples.to(self._mel.window.device)),
            prefix=with_blank(reference.transcript),
            pace=VoicePace(reference.transcript, len(samples) // HOP),
            loudness=min(1.0, reference.rms / TARGET_RMS),
        )


@dataclass(frozen=True, slots=True)
class Hum:
    """A recording of nobody."""

    samples: Samples
    transcript: str = "Somebody hums and does not say a word. "
    rms: float = RMS


class HummedReferences:
    """Two voices for a model without weights, which are recordings of nobody."""

    def voices(self) -> Sequence[Voice]:
        """Always the same two."""
        return hum_voices()

    def generation(self, voice_id: str) -> Hashable:
        """Never another."""
        check_hum(voice_id)
        return None

    def reference(self, voice_id: str) -> Reference:
        """A tone with overtones, swelling twice a second."""
        return Hum(hum(voice_id))


class HumsUntilRecorded:
    """For a model without weights: a library's voices, and the hums while it has none."""

    def __init__(self, library: References) -> None:
        self._library = library
        self._hums = HummedReferences()

    def voices(self) -> Sequence[Voice]:
        """Those with a recording, or the hums."""
        return self._library.voices() or self._hums.voices()

    def generation(self, voice_id: str) -> Hashable:
        """That of whoever has the voice."""
        return self._of(voice_id).generation(voice_id)

    def reference(self, voice_id: str) -> Reference:
        """That of whoever has the voice."""
        return self._of(voice_id).reference(voice_id)

    def _of(self, voice_id: str) -> References:
        return self._hums if voice_id in PITCHES else self._library
