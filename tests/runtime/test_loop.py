"""The engine thread with engines that misbehave in ways `tone` does not."""

import threading
from collections.abc import Sequence

import numpy as np
import pytest

from ttsops.engines.contract import Engine, EngineCard, EngineConfig, Fault, Step
from ttsops.engines.tone.card import CARD
from ttsops.errors import UnknownVoice
from ttsops.runtime.loop import EngineLoop
from ttsops.runtime.messages import (
    Audio,
    Cancel,
    Closed,
    End,
    Event,
    Failed,
    Faulted,
    Finished,
    Load,
    LoadFailed,
    Open,
    Ready,
    Shutdown,
)
from ttsops.speech import SpeechRequest, Voice

pytestmark = pytest.mark.unit


class Scripted(Engine):
    """Gives the steps it was told to, the same for every utterance."""

    def __init__(self, *steps: Step | Exception) -> None:
        self.card: EngineCard = CARD
        self.steps = steps
        self.closed: list[object] = []

    def voices(self) -> Sequence[Voice]:
        return (Voice("middle", "Middle"),)

    def open(self, request: SpeechRequest) -> list[int]:
        if request.voice == "nobody":
            raise UnknownVoice("no voice `nobody`", param="voice")
        return [0]

    def end(self, utterance: list[int]) -> None:
        pass

    def step(self, batch: Sequence[list[int]]) -> list[Step]:
        given = []
        for progress in batch:
            step = self.steps[progress[0]]
            progress[0] += 1
            if isinstance(step, Exception):
                raise step
            given.append(step)
        return given

    def close(self, utterance: list[int]) -> None:
        self.closed.append(utterance)


def sound(n_samples: int = 240, **changes: object) -> Step:
    return Step(np.full(n_samples, 0.5, np.float32), **changes)  # type: ignore[arg-type]


class Session:
    """An engine loop on a thread, and what it said."""

    def __init__(self, engine: Engine) -> None:
        self.events: list[Event] = []
        self._said = threading.Condition()
        self._loop = EngineLoop(self._emit, create=lambda name, config: engine)
        self._thread = threading.Thread(target=self._loop.run, daemon=True)
        self.post = self._loop.post
        self._thread.start()
        self.post(Load("scripted", EngineConfig()))

    def _emit(self, events: Sequence[Event]) -> None:
        with self._said:
            self.events.extend(events)
            self._said.notify_all()

    def wait_for(self, kind: type[Event], n_events: int = 1) -> None:
        def is_said() -> bool:
            return sum(isinstance(event, kind) for event in self.events) >= n_events

        with self._said:
            assert self._said.wait_for(is_said, timeout=10), f"no {kind.__name__} in {self.events}"

    def stop(self) -> None:
        self.post(Shutdown())
        self._thread.join(10)
        assert not self._thread.is_alive()


def speak(engine: Engine, request: SpeechRequest | None = None) -> list[Event]:
    session = Session(engine)
    session.wait_for(Ready)
    session.post(Open(1, request or SpeechRequest("hello"), 8.0, True))
    session.wait_for(Closed)
    session.stop()
    return [event for event in session.events if getattr(event, "stream", 0) == 1]


def test_an_utterance_is_audio_then_finished_then_closed() -> None:
    engine = Scripted(sound(), sound(is_done=True))
    events = speak(engine)
    assert [type(event) for event in events] == [Audio, Audio, Finished, Closed]
    assert len(engine.closed) == 1


def test_samples_that_are_not_numbers_never_leave() -> None:
    bad = Step(np.array([0.1, np.nan], np.float32))
    events = speak(Scripted(sound(), bad))
    assert [type(event) for event in events] == [Audio, Failed, Closed]
    assert isinstance(events[1], Failed)
    assert events[1].error.code == "bad_audio"


def test_finishing_without_a_sample_is_an_error() -> None:
    events = speak(Scripted(Step(is_done=True)))
    assert isinstance(events[0], Failed)
    assert (events[0].error.code, events[0].error.param) == ("no_audio", "text")


def test_a_bug_in_a_step_ends_its_batch_and_is_logged_in_full(caplog: pytest.LogCaptureFixture) -> None:
    session = Session(Scripted(sound(), ZeroDivisionError("boom")))
    session.wait_for(Ready)
    session.post(Open(1, SpeechRequest("hello"), 8.0, True))
    session.wait_for(Closed)
    session.stop()
    failed = [event for event in session.events if isinstance(event, Failed)]
    assert failed[0].error.code == "engine_failed"
    assert "ZeroDivisionError: boom" in failed[0].error.message
    (record,) = caplog.records
    assert "engine_bug" in record.getMessage()
    assert record.exc_info is not None or "ZeroDivisionError" in str(record.msg)


def test_a_voice_the_engine_refuses_fails_that_stream_alone() -> None:
    session = Session(Scripted(sound(), sound(is_done=True)))
    session.wait_for(Ready)
    session.post(Open(1, SpeechRequest("x", voice="nobody"), 8.0, True))
    session.post(Open(2, SpeechRequest("x"), 8.0, True))
    session.wait_for(Closed, 2)
    session.stop()
    kinds = {(type(event), getattr(event, "stream", 0)) for event in session.events}
    assert {(Failed, 1), (Closed, 1), (Finished, 2), (Closed, 2)} <= kinds
    assert (Failed, 2) not in kinds


def test_a_cancelled_utterance_is_closed_once_and_late_commands_are_ignored() -> None:
    engine = Scripted(*[sound(24_000 * 4) for _ in range(10)])
    session = Session(engine)
    session.wait_for(Ready)
    session.post(Open(1, SpeechRequest("hello"), 8.0, True))
    session.wait_for(Audio, 2)
    session.post(Cancel(1))
    session.post(Cancel(1))
    session.post(End(1))
    session.wait_for(Closed)
    session.stop()
    assert len(engine.closed) == 1
    assert sum(isinstance(event, Closed) for event in session.events) == 1


def test_shutdown_closes_what_is_open() -> None:
    engine = Scripted(*[sound(24_000 * 4) for _ in range(10)])
    session = Session(engine)
    session.post(Open(1, SpeechRequest("hello"), 8.0, True))
    session.wait_for(Audio)
    session.stop()
    assert len(engine.closed) == 1


def test_an_engine_that_cannot_be_made_says_so_and_ends() -> None:
    def create(name: str, config: EngineConfig) -> Engine:
        raise RuntimeError("no such device")

    events: list[Event] = []
    loop = EngineLoop(events.extend, create=create)
    loop.post(Load("broken", EngineConfig()))
    loop.run()
    assert isinstance(events[0], LoadFailed)
    assert events[0].error.code == "engine_unavailable"
    assert "no such device" in events[0].error.message


def test_a_session_without_an_engine_ends_quietly() -> None:
    events: list[Event] = []
    loop = EngineLoop(events.extend)
    loop.post(Shutdown())
    loop.run()
    assert events == []


def test_what_the_engine_notices_of_itself_is_told() -> None:
    noticed = (Fault("noise", "again"), Fault("endless", "let_pass"))
    session = Session(Scripted(sound(faults=noticed[:1]), sound(faults=noticed[1:], is_done=True)))
    session.post(Open(1, SpeechRequest("a word"), 8.0, is_live=True))
    session.wait_for(Closed)
    found = [event.faults for event in session.events if isinstance(event, Faulted)]
    assert found == [noticed[:1], noticed[1:]]
    session.stop()
