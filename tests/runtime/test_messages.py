"""The wire between the API process and a worker."""

import socket
import typing

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttsops.engines.contract import EngineCard, EngineConfig, Fault
from ttsops.errors import Overloaded
from ttsops.runtime import messages
from ttsops.runtime.link import FrameReader
from ttsops.runtime.worker import read_command
from ttsops.speech import Mark, SpeechRequest, Voice

pytestmark = pytest.mark.unit

EXAMPLES: list[messages.Message] = [
    messages.Load("tone", EngineConfig(options={"rtf": 0.5})),
    messages.Open(1, SpeechRequest("hi", options={"nfe": 7, "on": True}), 8.0, True),
    messages.Append(1, "more"),
    messages.End(1),
    messages.Ack(1, 0.25),
    messages.Cancel(1),
    messages.Ping(7),
    messages.Shutdown(),
    messages.Ready(EngineCard("e", "", "MIT", 24_000, "v"), (Voice("v", "V"),), 0.1),
    messages.LoadFailed(messages.WireError("engine_unavailable", "why", "do", None, 2.0)),
    messages.Audio(1, b"\0\0\0\0", (Mark(0.1, 2, 3),)),
    messages.Starved(1),
    messages.Faulted(1, (Fault("noise", "again"),)),
    messages.Finished(1, 0.5),
    messages.Failed(1, messages.WireError("no_audio", "why")),
    messages.Closed(1),
    messages.Pong(7, 0.0),
    messages.Steps((0.1,), (2,)),
]


def test_every_message_has_an_example_here() -> None:
    known = {*typing.get_args(messages.Command), *typing.get_args(messages.Event)}
    assert {type(example) for example in EXAMPLES} == known


@pytest.mark.parametrize("message", EXAMPLES, ids=lambda message: type(message).__name__)
def test_a_message_survives_the_wire(message: messages.Message) -> None:
    frame = messages.encode_frame(message)
    is_command = isinstance(message, typing.get_args(messages.Command))
    decode = messages.decode_command if is_command else messages.decode_event
    assert decode(frame[messages.LENGTH_BYTES :]) == message


def test_an_error_is_the_same_class_on_the_other_side() -> None:
    error = messages.WireError.of(Overloaded("full", hint="wait", retry_after=3.0)).to_error()
    assert type(error) is Overloaded
    assert (str(error), error.hint, error.retry_after) == ("full", "wait", 3.0)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=30))
def test_frames_are_found_however_the_bytes_are_cut(cuts: list[int]) -> None:
    sent = [example for example in EXAMPLES if isinstance(example, typing.get_args(messages.Event))]
    stream = b"".join(map(messages.encode_frame, sent))
    received: list[messages.Event] = []
    reader = FrameReader(received.append, lambda: None)
    start = 0
    for cut in [*cuts, len(stream)]:
        reader.data_received(stream[start : start + cut])
        start += cut
    assert received == sent


def test_the_worker_refuses_a_frame_that_is_none() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(b"GET / HTTP/1.1\r\n\r\n")
        with pytest.raises(ValueError, match="another protocol"):
            read_command(theirs)


def test_the_worker_sees_its_parent_go() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        ours.sendall(messages.encode_frame(messages.End(1))[:6])
        ours.close()
        assert read_command(theirs) is None


def test_a_message_of_the_wrong_direction_is_refused() -> None:
    with pytest.raises(msgspec.DecodeError):
        messages.decode_command(messages.encode_frame(messages.Closed(1))[messages.LENGTH_BYTES :])
