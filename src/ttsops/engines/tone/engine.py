"""The engine: keeps its pace, speaks its signal, and fails when told to."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable, Sequence

import numpy as np

from ttsops.engines.contract import NO_SAMPLES, Engine, EngineConfig, Step
from ttsops.engines.setup import lower_card, read_options
from ttsops.engines.tone.card import BASE_HZ, CARD, SAMPLE_RATE, VOICES, ToneOptions
from ttsops.engines.tone.signal import Melody
from ttsops.errors import EngineError, EngineUnavailable, UnknownVoice
from ttsops.speech import Mark, Samples, SpeechRequest, Voice

HANG_SECONDS = 86_400.0
LONGEST_WAIT_SECONDS = 0.01
"""A step that waits for a first sample returns after this, so that cancellation is looked at."""

_WORD = re.compile(r"\S+")


class ToneUtterance:
    """One utterance: its text, how far it is spoken, and samples made but not yet given."""

    def __init__(self, request: SpeechRequest, options: ToneOptions, first_audio_at: float) -> None:
        wanted = request.options
        self.melody = Melody(
            request.voice or CARD.default_voice,
            request.seed,
            char_seconds=options.seconds_per_char / request.speed,
            pitch=request.pitch,
            frequency=int(wanted.get("frequency", 0)),
        )
        self.first_audio_at = first_audio_at
        self.text = request.text
        self.is_text_complete = request.is_text_complete
        self._fail_at = float(wanted.get("fail_after_seconds", 0.0)) if wanted.get("fail") else None
        self._chunk_samples = max(1, round(options.chunk_seconds * SAMPLE_RATE))
        self._gain, self._offset = np.float32(options.gain), np.float32(options.offset)
        self._n_sung = 0
        self._n_given = 0
        self._waiting: Samples = NO_SAMPLES
        self._marks: list[Mark] = []

    def step(self) -> Step:
        """The next chunk, with the marks that fall into it."""
        if self._fail_at is not None and self._n_given >= self._fail_at * SAMPLE_RATE:
            return Step(error=EngineError("this utterance was asked to fail"))
        self._sing()
        samples, self._waiting = np.split(self._waiting, [self._chunk_samples])
        self._n_given += len(samples)
        is_spoken = self._n_sung == len(self.text) and not len(self._waiting)
        is_done = self.is_text_complete and is_spoken
        heard = samples * self._gain + self._offset
        return Step(heard, self._take_marks(), is_done, needs_text=not is_done and not len(samples))

    def _sing(self) -> None:
        parts = [self._waiting]
        n_made = len(self._waiting)
        # A word is begun when its end is known: its mark says how long it is.
        limit = len(self.text) if self.is_text_complete else self._after_last_space()
        while n_made < self._chunk_samples and self._n_sung < limit:
            self._mark_word()
            parts.append(self.melody.sing(self.text[self._n_sung]))
            n_made += self.melody.char_samples
            self._n_sung += 1
        self._waiting = np.concatenate(parts)

    def _after_last_space(self) -> int:
        end = len(self.text)
        while end > self._n_sung and not self.text[end - 1].isspace():
            end -= 1
        return end

    def _mark_word(self) -> None:
        at = self._n_sung
        if self.text[at].isspace() or (at and not self.text[at - 1].isspace()):
            return
        word = _WORD.match(self.text, at)
        assert word
        start_seconds = at * self.melody.char_samples / SAMPLE_RATE
        self._marks.append(Mark(start_seconds, at, len(word.group())))

    def _take_marks(self) -> tuple[Mark, ...]:
        given_seconds = self._n_given / SAMPLE_RATE
        due = tuple(mark for mark in self._marks if mark.start_seconds < given_seconds)
        self._marks = self._marks[len(due) :]
        return due


class ToneEngine(Engine):
    """See the module. Blocks in `sleep`; `clock` tells when a first sample is due."""

    def __init__(
        self,
        config: EngineConfig,
        *,
        sleep: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.options = read_options(CARD.name, config.options, ToneOptions)
        self.card = lower_card(
            CARD,
            config,
            takes_text_in_pieces=self.options.takes_text_in_pieces,
            is_realtime=self.options.is_realtime,
            simulates_live=self.options.simulates_live,
        )
        self._sleep = sleep
        self._clock = clock
        self._n_steps = 0
        self._leaked: list[bytes] = []
        self._rest(self.options.load_seconds)
        if self.options.fail_to_load:
            raise EngineUnavailable("engine `tone` was set up to fail while loading")

    def voices(self) -> Sequence[Voice]:
        """Four ranges of frequency."""
        return VOICES

    def open(self, request: SpeechRequest) -> ToneUtterance:
        """Raises `UnknownVoice`."""
        if request.voice and request.voice not in BASE_HZ:
            known = ", ".join(BASE_HZ)
            raise UnknownVoice(
                f"`tone` has no voice `{request.voice}`", hint=f"voices: {known}", param="voice"
            )
        if self.options.leak_bytes_per_request:
            # Not zeros: those are given by the system when they are touched, and would take no memory.
            self._leaked.append(b"\x01" * self.options.leak_bytes_per_request)
        return ToneUtterance(request, self.options, self._clock() + self.options.first_audio_seconds)

    def append(self, utterance: ToneUtterance, text: str) -> None:
        """More text; spoken up to its last whole word."""
        if not self.card.takes_text_in_pieces:
            super().append(utterance, text)
        utterance.text += text

    def end(self, utterance: ToneUtterance) -> None:
        """The last word is whole now."""
        if not self.card.takes_text_in_pieces:
            super().end(utterance)
        utterance.is_text_complete = True

    def step(self, batch: Sequence[ToneUtterance]) -> list[Step]:
        """One chunk each, after the time this batch costs."""
        self._n_steps += 1
        self._fail_on_purpose()
        options = self.options
        self._rest(
            options.step_seconds
            + options.utterance_seconds * len(batch)
            + options.rtf * options.chunk_seconds
        )
        wait = min((one.first_audio_at for one in batch), default=0.0) - self._clock()
        if wait > 0:
            self._rest(min(wait, LONGEST_WAIT_SECONDS))
        now = self._clock()
        return [one.step() if one.first_audio_at <= now else Step() for one in batch]

    def close(self, utterance: ToneUtterance) -> None:
        """Nothing is held outside the utterance."""

    def _rest(self, seconds: float) -> None:
        if seconds > 0:
            self._sleep(seconds)

    def _fail_on_purpose(self) -> None:
        def is_after(limit: int) -> bool:
            return 0 < limit < self._n_steps

        if is_after(self.options.crash_after_steps):
            os.kill(os.getpid(), signal.SIGKILL)
        if is_after(self.options.hang_after_steps):
            self._sleep(HANG_SECONDS)
        if is_after(self.options.fail_after_steps):
            raise EngineError(f"engine `tone` was set up to fail after {self.options.fail_after_steps} steps")


def create(config: EngineConfig) -> ToneEngine:
    """Raises `ConfigError` for options it does not take."""
    return ToneEngine(config)
