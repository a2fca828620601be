"""The engine: takes an utterance's next phrase to the lane, and gives what the lane has made of it."""

from __future__ import annotations

from collections.abc import Sequence

from ttsops.engines.contract import Engine, EngineConfig, Step
from ttsops.engines.espeak import library
from ttsops.engines.espeak.card import CARD, EspeakOptions
from ttsops.engines.espeak.delivery import to_delivery
from ttsops.engines.espeak.lane import Lane
from ttsops.engines.espeak.utterance import EspeakUtterance
from ttsops.engines.espeak.voices import VoiceBook
from ttsops.engines.setup import lower_card, read_options
from ttsops.errors import EngineError, TtsOpsError
from ttsops.speech import SpeechRequest, Voice

MAX_STEP_CHUNKS = 8
"""Chunks of 60 ms one step gives at most: the first comes alone, later ones are ready and share a message."""


class EspeakEngine(Engine):
    """One lane. An utterance holds at most one phrase of audio that nobody has taken."""

    def __init__(self, config: EngineConfig) -> None:
        read_options(CARD.name, config.options, EspeakOptions)
        loaded = library.load()
        if loaded.sample_rate != CARD.sample_rate:
            raise EngineError(f"espeak-ng speaks at {loaded.sample_rate} Hz instead of {CARD.sample_rate}")
        self._book = VoiceBook(loaded.voices(), loaded.variants())
        self._lane = Lane(loaded)
        self.card = lower_card(
            CARD, config, languages=self._book.languages, voice_variants=self._book.variants
        )

    def voices(self) -> Sequence[Voice]:
        """A voice for each language and dialect, and those with a variant that the card names."""
        return self._book.voices()

    def warm_up(self) -> None:
        """Read the default voice and its dictionary."""
        utterance = self.open(SpeechRequest("Ready."))
        while not self.step([utterance])[0].is_done:
            pass

    def open(self, request: SpeechRequest) -> EspeakUtterance:
        """Raises `UnknownVoice`, or `InvalidValue` for a language without a voice."""
        voice = self._book.find(request.voice, request.language)
        utterance = EspeakUtterance(to_delivery(voice, request.speed, request.pitch))
        utterance.feed(request.text)
        if request.is_text_complete:
            utterance.end()
        return utterance

    def append(self, utterance: EspeakUtterance, text: str) -> None:
        """More text; spoken as soon as a phrase of it is complete."""
        utterance.feed(text)

    def end(self, utterance: EspeakUtterance) -> None:
        """The last phrase is complete."""
        utterance.end()

    def step(self, batch: Sequence[EspeakUtterance]) -> list[Step]:
        """Up to half a second of audio each; waits for a phrase's first chunk, never for its end."""
        return [self._step(utterance) for utterance in batch]

    def _step(self, utterance: EspeakUtterance) -> Step:
        is_new = utterance.phrase is None
        phrase = utterance.next_phrase()
        if phrase is None:
            is_done = utterance.is_done
            return Step(is_done=is_done, needs_text=not is_done)
        if is_new:
            self._lane.submit(phrase)
        try:
            parts, is_ended = self._lane.take(phrase, MAX_STEP_CHUNKS)
        except TtsOpsError as e:
            return Step(error=e)
        samples, marks = utterance.hear(parts, is_ended=is_ended)
        return Step(samples, marks, is_done=utterance.is_done)

    def close(self, utterance: EspeakUtterance) -> None:
        """Its phrase is left within one chunk."""
        if utterance.phrase:
            self._lane.cancel(utterance.phrase)

    def shutdown(self) -> None:
        """End the lane's thread. The library stays: a process can initialise it only once."""
        self._lane.stop()


def create(config: EngineConfig) -> EspeakEngine:
    """Raises `ConfigError` for any option, `EngineUnavailable` if the library cannot be loaded."""
    return EspeakEngine(config)
