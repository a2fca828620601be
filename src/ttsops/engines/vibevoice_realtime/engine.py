"""The engine: one loaded model, its voices, and a slot for every open utterance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ttsops.engines.contract import Engine, EngineCard, Step
from ttsops.engines.nn.dpm_solver import SOLVERS
from ttsops.engines.nn.noise import SeededNoise
from ttsops.engines.nn.qwen_tokenizer import Tokenizer
from ttsops.engines.nn.sampler import Sampling
from ttsops.engines.vibevoice_realtime.contexts import ContextCutter
from ttsops.engines.vibevoice_realtime.generate import RaggedForm, StepForm
from ttsops.engines.vibevoice_realtime.model import RealtimeModel
from ttsops.engines.vibevoice_realtime.slots import StreamSlots
from ttsops.engines.vibevoice_realtime.track import Track, new_track
from ttsops.engines.vibevoice_realtime.utterance import Utterance
from ttsops.engines.vibevoice_realtime.voice_state import VoiceState
from ttsops.errors import EmptyText, UnknownVoice
from ttsops.speech import SpeechRequest, Voice

WARM_STREAMS = 4
WARM_TEXT = "The engine says a few words to itself before anybody listens."

CHARS_PER_POSITION = 0.75
"""Latin characters per position of a context, text and speech together; slow speech has 0.9."""


class RealtimeEngine(Engine):
    """See the module."""

    def __init__(
        self,
        card: EngineCard,
        model: RealtimeModel,
        slots: StreamSlots,
        tokenizer: Tokenizer,
        voices: Mapping[str, tuple[Voice, VoiceState]],
        form: StepForm | None = None,
    ) -> None:
        """`form` is how frames are computed; ragged if None."""
        self.card = card
        self._model = model
        self._slots = slots
        self._tokenizer = tokenizer
        self._voices = voices
        self._form: StepForm = form or RaggedForm(model, slots)
        self._defaults = {option.name: option.default for option in card.options}

    def voices(self) -> Sequence[Voice]:
        """The imported ones."""
        return tuple(voice for voice, _ in self._voices.values())

    def warm_up(self) -> None:
        """A few frames in every batch size that a first handful of listeners makes, with text and without."""
        self._form.warm_up()
        n_most = min(WARM_STREAMS, self.card.max_batch)
        utterances = [self.open(SpeechRequest(WARM_TEXT, seed=i)) for i in range(n_most)]
        for n_streams in range(1, n_most + 1):
            for _ in range(2):
                self.step(utterances[:n_streams])
        for utterance in utterances:
            self.close(utterance)

    def open(self, request: SpeechRequest) -> Utterance:
        """Raises `UnknownVoice`, `EmptyText`, and `Overloaded` when every slot is taken."""
        if request.is_text_complete and not request.text.strip():
            raise EmptyText("there is nothing to say", param="text")
        state = self._voice_state(request.voice or self.card.default_voice)
        options = {**self._defaults, **request.options}
        solver = next(one for one in SOLVERS if one == options["solver"])
        sampling = Sampling(int(options["steps"]), solver, float(options["cfg_scale"]))
        noise = SeededNoise(self._model.config.latent_size, request.seed, float(options["temperature"]))
        slot = self._slots.take()

        def begin() -> Track:
            self._slots.begin(slot, state)
            return new_track(slot, state, sampling, noise, self._slots.n_positions)

        n_free = self._slots.n_positions - state.speech.shape[3]
        cutter = ContextCutter(int(n_free * CHARS_PER_POSITION))
        utterance = Utterance(slot, self._tokenizer, cutter, begin)
        utterance.feed(request.text)
        if request.is_text_complete:
            utterance.end()
        return utterance

    def append(self, utterance: Utterance, text: str) -> None:
        """Read as soon as a window of it is complete."""
        utterance.feed(text)

    def end(self, utterance: Utterance) -> None:
        """The last, short window is complete now."""
        utterance.end()

    def step(self, batch: Sequence[Utterance]) -> list[Step]:
        """One frame for each, in one batched pass."""
        going = [utterance for utterance in batch if utterance.prepare()]
        outcomes = iter(self._form.advance([utterance.track for utterance in going]))
        return [
            Step(is_done=True) if utterance.is_done else utterance.take(next(outcomes)) for utterance in batch
        ]

    def close(self, utterance: Utterance) -> None:
        """Its slot is free at once."""
        if utterance.slot is not None:
            self._slots.give_back(utterance.slot)
            utterance.slot = None

    def shutdown(self) -> None:
        """The memory goes with the process."""

    def _voice_state(self, voice_id: str) -> VoiceState:
        found = self._voices.get(voice_id)
        if found is None:
            listed = ", ".join(f"`{one}`" for one in self._voices)
            raise UnknownVoice(f"no voice `{voice_id}`", hint=f"voices: {listed}", param="voice")
        return found[1]
