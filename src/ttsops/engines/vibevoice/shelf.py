"""Voices and prefixes of prompts, made when they are first asked for and kept for the next utterance.

Both are bounded: what was not asked for the longest goes first. What belongs to a recording that was replaced
goes at once; an utterance that speaks with it already keeps it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from ttsops.engines.nn.qwen_tokenizer import Tokenizer
from ttsops.engines.vibevoice.model import VibeVoiceModel
from ttsops.engines.vibevoice.pieces import Gradual
from ttsops.engines.vibevoice.prefix import prefix_in_pieces
from ttsops.engines.vibevoice.prompt import Line, Prompt, make_prompt
from ttsops.engines.vibevoice.recordings import Recordings
from ttsops.engines.vibevoice.voices import count_frames, prepare_in_pieces
from ttsops.errors import UnknownVoice, VoiceNotFound
from ttsops.speech import Voice

MAX_VOICES = 32
"""Rows of a voice are small: 1.4 MB for 30 s of VibeVoice-1.5B in fp32."""

MAX_PREFIX_POSITIONS = 4096
"""Of all prefixes together: four scripts of four voices of 30 s, or more shorter ones."""

Key: TypeAlias = tuple[str, Hashable]
"""A voice's id and its generation."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A voice, as rows of a prompt."""

    n_frames: int
    rows: Gradual
    """[V, C]"""


@dataclass(frozen=True, slots=True)
class Prefix:
    """The task and the voices, as the cache of the language model holds them."""

    n_positions: int
    memory: Gradual
    """[L, 2, G, P, D]"""


class VoiceShelf:
    """See the module."""

    def __init__(
        self,
        model: VibeVoiceModel,
        tokenizer: Tokenizer,
        recordings: Recordings,
        max_prefix_positions: int = MAX_PREFIX_POSITIONS,
    ) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._recordings = recordings
        self._max_positions = max_prefix_positions
        self._heard: OrderedDict[Key, Heard] = OrderedDict()
        self._prefixes: OrderedDict[tuple[Key, ...], Prefix] = OrderedDict()

    def voices(self) -> Sequence[Voice]:
        """Everybody it can speak as."""
        return self._recordings.voices()

    def prompt(self, lines: Sequence[Line], voice_ids: Sequence[str]) -> tuple[Prompt, Prefix]:
        """For lines of speakers 0, 1, …, who speak as `voice_ids`.

        Raises `UnknownVoice`, and `AudioError` for a recording that cannot be read.
        """
        keys = tuple((voice_id, self._generation(voice_id)) for voice_id in voice_ids)
        heard = [self._hear(key) for key in keys]
        frames = [voice.n_frames for voice in heard]
        prompt = make_prompt(lines, frames, self._tokenizer, self._model.config.tokens)
        prefix = self._prefixes.get(keys)
        if prefix is None:
            pieces = prefix_in_pieces(self._model, prompt.prefix, [voice.rows for voice in heard])
            prefix = self._prefixes[keys] = Prefix(prompt.n_prefix, Gradual(pieces))
        self._prefixes.move_to_end(keys)
        while len(self._prefixes) > 1 and self.n_positions > self._max_positions:
            self._prefixes.popitem(last=False)
        return prompt, prefix

    @property
    def n_positions(self) -> int:
        """Of all prefixes that are kept."""
        return sum(prefix.n_positions for prefix in self._prefixes.values())

    def _generation(self, voice_id: str) -> Hashable:
        try:
            generation = self._recordings.generation(voice_id)
        except VoiceNotFound as e:
            self._forget(voice_id)
            raise UnknownVoice(e.message, hint=e.hint, param="voice") from e
        if any(one == voice_id and other != generation for one, other in self._heard):
            self._forget(voice_id)
        return generation

    def _hear(self, key: Key) -> Heard:
        heard = self._heard.get(key)
        if heard is None:
            recording = self._recordings.recording(key[0])
            n_frames = count_frames(recording, self._model.config.hop_length)
            heard = self._heard[key] = Heard(n_frames, Gradual(prepare_in_pieces(self._model, recording)))
        self._heard.move_to_end(key)
        while len(self._heard) > MAX_VOICES:
            self._heard.popitem(last=False)
        return heard

    def _forget(self, voice_id: str) -> None:
        """All of its generations."""
        for key in [key for key in self._heard if key[0] == voice_id]:
            del self._heard[key]
        for keys in [keys for keys in self._prefixes if any(one == voice_id for one, _ in keys)]:
            del self._prefixes[keys]
