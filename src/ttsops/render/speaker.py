"""Who speaks the pieces of a job: an engine of its own, stepped on the thread that asks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ttsops.audio import StreamResampler
from ttsops.engines import registry
from ttsops.engines.contract import Engine, Resumable, Utterance
from ttsops.errors import BadAudio, EngineError
from ttsops.runtime.checks import check_request
from ttsops.runtime.identity import weights_identity
from ttsops.runtime.references import with_library
from ttsops.runtime.service import engine_config
from ttsops.runtime.weights import with_weights
from ttsops.settings import Settings
from ttsops.speech import SAMPLE_RATE, Samples, SpeechRequest

MAX_IDLE_STEPS = 100_000
"""Without a sample: an engine that does nothing more than this is stuck."""


class Speaker:
    """An engine, and what the job asks of it."""

    def __init__(self, settings: Settings) -> None:
        """Loads the default engine of `settings`. Raises `EngineUnavailable`, `ConfigError`."""
        name = settings.engine
        config = engine_config(with_weights(settings, name, with_library(settings, name)))
        self.engine: Engine = registry.create(name, config)
        self.engine.warm_up()
        self.card = self.engine.card
        self.voices = self.engine.voices()
        self.weights = weights_identity(self.card, config.options)

    @property
    def is_resumable(self) -> bool:
        """Whether an utterance can be gone on with."""
        return isinstance(self.engine, Resumable)

    def check(self, request: SpeechRequest) -> SpeechRequest:
        """The request with its voice resolved. Raises `RequestError`."""
        return check_request(request, self.card, self.voices)

    def speak(
        self, request: SpeechRequest, folder: Path | None = None, number: int = 0
    ) -> Iterator[tuple[Samples, Utterance | None]]:
        """From the beginning, or from checkpoint `number` in `folder`.

        With each piece comes the utterance where it pauses, so that it can be saved; else None.
        """
        engine = self.engine
        if number and folder is not None and isinstance(engine, Resumable):
            utterance = engine.resume(request, folder, number)
        else:
            utterance = engine.open(request)
        resampler = StreamResampler(self.card.sample_rate, SAMPLE_RATE)
        n_idle = 0
        try:
            while True:
                step = engine.step([utterance])[0]
                if step.error is not None:
                    raise step.error
                samples = resampler.process(step.samples)
                n_idle = 0 if len(samples) else n_idle + 1
                if n_idle > MAX_IDLE_STEPS:
                    raise EngineError("the engine makes no sound any more")
                _check_finite(samples)
                is_pause = isinstance(engine, Resumable) and engine.is_at_pause(utterance)
                yield samples, utterance if is_pause else None
                if step.is_done:
                    yield resampler.finish(), None
                    return
        finally:
            engine.close(utterance)

    def save(self, utterance: Utterance, folder: Path, number: int) -> None:
        """A checkpoint of an engine that can be gone on with."""
        assert isinstance(self.engine, Resumable)
        self.engine.save(utterance, folder, number)

    def close(self) -> None:
        """Give the device back."""
        self.engine.shutdown()


def _check_finite(samples: Samples) -> None:
    if not np.isfinite(samples).all():
        raise BadAudio("the engine made samples that are not numbers", hint="try another seed")
