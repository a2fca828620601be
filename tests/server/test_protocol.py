"""Every message of the WebSocket protocol survives the wire; no message can escape the test."""

import contextlib
import json
import types
import typing
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttsops.errors import BadMessage, TooLarge, UnknownVoice
from ttsops.server import chat_protocol, protocol
from ttsops.server.protocol import Error, Message, SessionConfig, decode, encode, unknown_config_fields

pytestmark = pytest.mark.unit

CLIENT = typing.get_args(protocol.ClientMessage)
SERVER = typing.get_args(protocol.ServerMessage)
CHAT_CLIENT = typing.get_args(chat_protocol.ChatClientMessage)
CHAT_SERVER = typing.get_args(chat_protocol.ChatServerMessage)
VLLM_OMNI_EVENTS = {
    "session.config", "input.text", "input.done", "session.close",
    "audio.start", "audio.done", "session.done", "error",
}  # fmt: skip


def example_of(kind: Any) -> Any:
    """A value that is not the default, so that a field lost on the way is seen."""
    info = msgspec.inspect.type_info(kind) if not isinstance(kind, msgspec.inspect.Type) else kind
    match info:
        case msgspec.inspect.StructType(cls=cls, fields=fields):
            return cls(**{field.name: example_of(field.type) for field in fields})
        case msgspec.inspect.Metadata(type=inner):
            return example_of(inner)
        case msgspec.inspect.UnionType(types=types_):
            return example_of(next(one for one in types_ if not isinstance(one, msgspec.inspect.NoneType)))
        case msgspec.inspect.StrType():
            return "hällo"
        case msgspec.inspect.IntType():
            return 7
        case msgspec.inspect.FloatType():
            return 1.5
        case msgspec.inspect.BoolType():
            return True
        case msgspec.inspect.EnumType(cls=cls):
            return list(cls)[1]
        case msgspec.inspect.LiteralType(values=values):
            return values[-1]
        case msgspec.inspect.DictType():
            return {"nfe": 16}
        case msgspec.inspect.VarTupleType(item_type=item):
            return (example_of(item),)
    raise AssertionError(f"teach this test to make a {info}")


def subclasses(cls: type) -> set[type]:
    return {one for sub in cls.__subclasses__() for one in {sub, *subclasses(sub)}}


def test_every_message_is_in_one_of_the_two_unions() -> None:
    assert subclasses(Message) == {*CLIENT, *SERVER, *CHAT_CLIENT, *CHAT_SERVER}


def test_the_module_docstring_names_every_message() -> None:
    documented = protocol.__doc__ or ""
    assert all(cls.__struct_config__.tag in documented for cls in (*CLIENT, *SERVER))


def test_every_event_of_vllm_omni_is_spoken() -> None:
    assert {cls.__struct_config__.tag for cls in (*CLIENT, *SERVER)} >= VLLM_OMNI_EVENTS


@pytest.mark.parametrize("cls", CLIENT, ids=lambda cls: cls.__struct_config__.tag)
def test_a_clients_message_survives_the_wire(cls: type) -> None:
    message = example_of(cls)
    frame = msgspec.json.encode(message).decode()
    assert json.loads(frame)["type"] == cls.__struct_config__.tag
    assert decode(frame, max_bytes=10_000) == message


@pytest.mark.parametrize("cls", SERVER, ids=lambda cls: cls.__struct_config__.tag)
def test_a_servers_message_survives_the_wire(cls: type) -> None:
    message = example_of(cls)
    assert msgspec.json.decode(encode(message), type=protocol.ServerMessage) == message


def test_fields_that_clients_of_vllm_omni_read_are_always_there() -> None:
    done = json.loads(encode(protocol.AudioDone(utterance_index=0, sentence_index=0, total_bytes=0)))
    assert done["error"] is False
    over = json.loads(encode(protocol.SessionDone(utterance_index=0, total_sentences=0)))
    assert over["total_sentences"] == 0


@given(st.text())
def test_no_frame_breaks_the_decoder(frame: str) -> None:
    with contextlib.suppress(BadMessage, TooLarge):
        decode(frame, max_bytes=1000)


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        ("", "truncated"),
        ("[]", "Expected `object`"),
        ('{"text": "x"}', "missing required field `type`"),
        ('{"type": "input.speech"}', "Invalid value 'input.speech'"),
        ('{"type": "input.text"}', "missing required field `text`"),
        ('{"type": "input.text", "text": 5}', "Expected `str`, got `int`"),
        ('{"type": "session.config", "speed": 9}', "<= 4.0"),
        ('{"type": "session.config", "response_format": "ogg"}', "Invalid enum value 'ogg'"),
        ('{"type": "input.done", "x": ' + "[" * 10_000, "recursion"),
    ],
)
def test_a_bad_message_is_told_what_is_wrong_with_it(frame: str, says: str) -> None:
    with pytest.raises(BadMessage) as caught:
        decode(frame, max_bytes=100_000)
    assert says.lower() in caught.value.message.lower()


def test_a_message_that_is_too_large_is_not_read() -> None:
    with pytest.raises(TooLarge):
        decode('{"type": "input.text", "text": "' + "x" * 100 + '"}', max_bytes=100)


def test_fields_of_other_servers_are_ignored_and_named() -> None:
    frame = '{"type": "session.config", "voice": "alloy", "task_type": "Base", "max_new_tokens": 5}'
    assert decode(frame, max_bytes=1000) == SessionConfig(voice="alloy")
    assert unknown_config_fields(frame) == ("max_new_tokens", "task_type")


def test_an_error_event_says_what_an_http_error_says() -> None:
    event = json.loads(
        encode(Error.of(UnknownVoice("no voice", hint="try", param="voice"), utterance_index=2))
    )
    assert event == {
        "type": "error", "message": "no voice", "code": "unknown_voice", "hint": "try", "param": "voice",
        "utterance_index": 2,
    }  # fmt: skip


def test_the_unions_are_unions() -> None:
    assert isinstance(protocol.ClientMessage, types.UnionType)
