"""What the API process and a worker say to each other: msgpack frames, each with a 4-byte length before it.

API process → worker                       worker → API process
--------------------                       --------------------
Load(engine, config)                       Ready(card, voices, …) | LoadFailed(error)
Open(stream, request, window, is_live)     Audio(stream, samples, marks) …
Append(stream, text) … End(stream)         Starved(stream)      waits for text
Ack(stream, seconds)    what was read      Finished(stream, …) | Failed(stream, error)
Cancel(stream)                             Closed(stream)       its place is free
Ping(number)                               Pong(number, step_age_seconds)
                                           Faulted(stream, faults)     noticed and dealt with
                                           Steps(durations, batch sizes)   twice a second while busy
Shutdown()                                 (the socket closes)

Audio is raw little-endian float32 at 24 kHz, never JSON. A stream number is never used twice.
"""

from __future__ import annotations

import msgspec

from ttsops.engines.contract import EngineCard, EngineConfig, Fault
from ttsops.errors import TtsOpsError, from_code
from ttsops.speech import Mark, SpeechRequest, Voice

MAX_FRAME_BYTES = 64 * 1024 * 1024
"""A longer frame means that the other side speaks something else."""

LENGTH_BYTES = 4


class Message(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """The root: encoded as an array that begins with the class name."""


class Load(Message, frozen=True):
    """First message: make this engine."""

    engine: str
    config: EngineConfig


class Open(Message, frozen=True):
    """A new utterance."""

    stream: int
    request: SpeechRequest
    window_seconds: float
    """Unread audio at which the stream is parked."""

    is_live: bool
    """False: a file job without a playout deadline."""


class Append(Message, frozen=True):
    """More text for an utterance."""

    stream: int
    text: str


class End(Message, frozen=True):
    """No more text."""

    stream: int


class Ack(Message, frozen=True):
    """So much audio has been read since the last Ack."""

    stream: int
    seconds: float


class Cancel(Message, frozen=True):
    """Free its slot before the next step."""

    stream: int


class Ping(Message, frozen=True):
    """Are you there?"""

    number: int


class Shutdown(Message, frozen=True):
    """Give the device back and end."""


class Ready(Message, frozen=True):
    """The engine is loaded and warm."""

    card: EngineCard
    voices: tuple[Voice, ...]
    load_seconds: float
    weights: dict[str, str] = {}
    """Set-up option → what is in the files that it names: see `identity.weights_identity`."""


class WireError(msgspec.Struct, frozen=True, array_like=True):
    """An error, without its class."""

    code: str
    message: str
    hint: str | None = None
    param: str | None = None
    retry_after: float | None = None

    @classmethod
    def of(cls, error: TtsOpsError) -> WireError:
        """What travels of `error`."""
        return cls(error.code, error.message, error.hint, error.param, error.retry_after)

    def to_error(self) -> TtsOpsError:
        """The error again."""
        return from_code(
            self.code, self.message, hint=self.hint, param=self.param, retry_after=self.retry_after
        )


class LoadFailed(Message, frozen=True):
    """The engine cannot be had; the worker ends."""

    error: WireError


class Audio(Message, frozen=True):
    """The next samples of a stream."""

    stream: int
    samples: bytes
    marks: tuple[Mark, ...] = ()


class Starved(Message, frozen=True):
    """Everything given so far is spoken; its listener hears a pause that is not our fault."""

    stream: int


class Faulted(Message, frozen=True):
    """What the engine noticed in its own speech and dealt with."""

    stream: int
    faults: tuple[Fault, ...]


class Finished(Message, frozen=True):
    """The last sample was sent."""

    stream: int
    synthesis_seconds: float
    """Wall time of the engine calls this stream took part in; neighbours share a step's time in full."""


class Failed(Message, frozen=True):
    """The utterance ended with an error."""

    stream: int
    error: WireError


class Closed(Message, frozen=True):
    """Its slot in the engine is free. The last message of every stream."""

    stream: int


class Pong(Message, frozen=True):
    """Alive; `step_age_seconds` says for how long the step in progress has run, 0 if none."""

    number: int
    step_age_seconds: float


class Steps(Message, frozen=True):
    """Steps since the last report."""

    seconds: tuple[float, ...]
    batch_sizes: tuple[int, ...]


Command = Load | Open | Append | End | Ack | Cancel | Ping | Shutdown
Event = Ready | LoadFailed | Audio | Starved | Faulted | Finished | Failed | Closed | Pong | Steps

_encoder = msgspec.msgpack.Encoder()
_command_decoder: msgspec.msgpack.Decoder[Command] = msgspec.msgpack.Decoder(Command)
_event_decoder: msgspec.msgpack.Decoder[Event] = msgspec.msgpack.Decoder(Event)


def encode_frame(message: Message) -> bytes:
    """Length and body, ready to be sent."""
    body = _encoder.encode(message)
    return len(body).to_bytes(LENGTH_BYTES, "little") + body


def decode_command(body: bytes | memoryview) -> Command:
    """Raises `msgspec.DecodeError` for anything that is not a command."""
    return _command_decoder.decode(body)


def decode_event(body: bytes | memoryview) -> Event:
    """Raises `msgspec.DecodeError` for anything that is not an event."""
    return _event_decoder.decode(body)
