"""One utterance of the engine: its chunks, the one on its way from noise, and decoded audio on its way out.

A chunk sounds only when all of its steps are taken; it is then decoded in windows, so that its first sound
does not wait for its last. The next chunk is begun while this one is heard, in later turns of the scheduler.

Legend: n frames.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ttsops.engines.contract import Step
from ttsops.engines.f5.card import SAMPLE_RATE
from ttsops.engines.f5.model import F5Model
from ttsops.engines.f5.planning import Chunk
from ttsops.engines.f5.sampler import Flow, clamped_frames, start_flow
from ttsops.engines.f5.schedule import Schedule
from ttsops.engines.f5.seams import ChunkJoiner
from ttsops.engines.f5.tokens import Vocabulary, tokenize
from ttsops.engines.f5.voices import VoiceState
from ttsops.errors import BadAudio
from ttsops.speech import Samples

FIRST_WINDOW = 48
"""Frames decoded at once when nothing of the utterance was heard yet: half a second."""

WINDOW = 376
"""Frames decoded at once later: longer windows share more of their surroundings."""


@dataclass(frozen=True, slots=True)
class Wish:
    """How an utterance is sampled, and how its chunks are joined."""

    schedule: Schedule
    cfg_strength: float
    cross_fade_seconds: float
    seed: int | None


class Utterance:
    """Chunks in, steps out. Takes turns between sampling a chunk and decoding it."""

    def __init__(self, voice: VoiceState, chunks: Sequence[Chunk], wish: Wish) -> None:
        self.is_done = False
        self.is_closed = False
        self._voice = voice
        self._chunks = deque(chunks)
        self._wish = wish
        self._generator = torch.Generator()
        if wish.seed is None:
            self._generator.seed()
        else:
            self._generator.manual_seed(wish.seed % 2**32)  # it has no more bits than these
        self._joiner = ChunkJoiner(round(wish.cross_fade_seconds * SAMPLE_RATE))
        self._flow: Flow | None = None
        self._speech: Tensor | None = None  # [n, mels], sampled and not yet decoded to its end
        self._n_decoded = 0
        self._has_sounded = False

    def flow(self, model: F5Model, vocabulary: Vocabulary) -> Flow | None:
        """The chunk to move on by a step; None while one that is sampled is being decoded, or after the last.

        Raises `RequestError` for a chunk that cannot be begun.
        """
        if self._flow is None and self._speech is None and self._chunks:
            self._flow = self._start(self._chunks.popleft(), model, vocabulary)
        return self._flow

    def take(self, model: F5Model) -> Step:
        """What became of it in this step."""
        if self._flow is not None:
            if not self._flow.is_done:
                return Step()
            if not self._flow.is_finite:
                return Step(error=BadAudio("the model made numbers that are none", hint="try another seed"))
            self._speech, self._n_decoded = self._flow.speech(), 0
            self._joiner.begin(self._n_frames * model.config.mel.hop)
            self._flow = None
        if self._speech is None:
            return Step(is_done=True)
        return self._decode(model)

    def close(self) -> None:
        """Let everything go: nothing is heard any more."""
        self._chunks.clear()
        self._flow = self._speech = None
        self.is_done = self.is_closed = True

    @property
    def _n_frames(self) -> int:
        """Frames between the first and the last of the chunk, each a hop long."""
        return 0 if self._speech is None else len(self._speech) - 1

    def _start(self, chunk: Chunk, model: F5Model, vocabulary: Vocabulary) -> Flow:
        voice = self._voice
        n_mels = voice.mel.shape[1]
        ids = vocabulary.ids(tokenize(voice.prefix + chunk.text))
        n_frames = clamped_frames(chunk.frames, len(ids), len(voice.mel))
        return start_flow(
            model,
            voice.mel,
            ids,
            n_frames,
            self._wish.schedule,
            cfg_strength=self._wish.cfg_strength,
            noise=torch.randn(n_frames, n_mels, generator=self._generator),
        )

    def _decode(self, model: F5Model) -> Step:
        assert self._speech is not None
        start = self._n_decoded
        end = min(self._n_frames, start + (WINDOW if self._has_sounded else FIRST_WINDOW))
        wave = model.vocos.decode(self._speech[None], start, end)[0].float().cpu().numpy()
        self._n_decoded, self._has_sounded = end, True
        samples = self._joiner.push(np.clip(wave * self._voice.loudness, -1.0, 1.0))
        if end == self._n_frames:
            self._speech = None
            if not self._chunks:
                self.is_done = True
                samples = np.concatenate([samples, self._joiner.finish()])
        return Step(_as_samples(samples), is_done=self.is_done)


def _as_samples(samples: Samples) -> Samples:
    return np.ascontiguousarray(samples, np.float32)
