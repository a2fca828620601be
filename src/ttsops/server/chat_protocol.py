"""What is said on `/chat/stream`: JSON in text frames, audio in binary ones.

client → server                           server → client
---------------                           ---------------
session.config   how to speak             session.ready   answers it
input.text       a question               turn.start      a question was taken
interrupt        silence, at once         text.delta      a piece of the answer as it is written
session.close    close                    audio.start     how the turn's audio is sent
                                          audio.delta     announces the binary frame that follows it
                                          turn.done       all was sent, or it ended early
                                          turn.cut        after it: less was heard, and is remembered
                                          error           with a code; the socket mostly stays open

Built of the same pieces as `protocol`. The page for users is docs/agent.md.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from ttsops.audio import Format
from ttsops.server.protocol import Error, Message, decode_frame

CONVERSATION_ID = r"^[A-Za-z0-9._:-]{1,64}$"

# ---- client → server -------------------------------------------------------------------


class ChatConfig(Message, frozen=True, tag="session.config"):
    """Who speaks, and how. May be left out; again between turns to change it, always as a whole."""

    voice_id: str | None = None
    model: str | None = None
    """The engine that speaks."""
    language: str | None = None
    speed: Annotated[float, Meta(ge=0.25, le=4.0)] | None = None
    conversation_id: Annotated[str, Meta(pattern=CONVERSATION_ID)] | None = None
    """To go on with a conversation; without it the socket has a new one."""
    response_format: Format | None = None
    """`pcm` unless said otherwise: 16 bit, mono, 24 kHz."""


class ChatText(Message, frozen=True, tag="input.text"):
    """A whole question. Whatever is being said is interrupted."""

    text: str


class Interrupt(Message, frozen=True, tag="interrupt"):
    """The listener speaks, or wants silence. Also while audio that was sent is still being played."""

    played_seconds: Annotated[float, Meta(ge=0)] | None = None
    """Of the turn's audio, as the player counts it; without it the server goes by its clock."""
    reason: Literal["barge_in", "client"] = "barge_in"


class ChatClose(Message, frozen=True, tag="session.close"):
    """Interrupts what is being said, and closes."""


# ---- server → client -------------------------------------------------------------------


class SessionReady(Message, frozen=True, tag="session.ready", omit_defaults=False):
    """Answers `session.config`."""

    conversation_id: str
    provider: str
    model: str
    """The language model's name."""
    format: Format
    sample_rate: int
    """Hertz, of `pcm` and `wav`."""


class TurnStart(Message, frozen=True, tag="turn.start", omit_defaults=False):
    """A question was taken; every `at_seconds` of this turn counts from here."""

    turn: int
    """Counts the socket's questions, from 0."""
    conversation_id: str


class TextEvent(Message, frozen=True, tag="text.delta", omit_defaults=False):
    """A piece of the answer as the model wrote it; Markdown stays."""

    turn: int
    at_seconds: float
    text: str
    is_apology: bool = False
    """Not the model's: said because it failed."""


class AudioStart(Message, frozen=True, tag="audio.start", omit_defaults=False):
    """Binary frames of this turn, joined, are one audio in `format`."""

    turn: int
    at_seconds: float
    format: Format
    sample_rate: int
    engine: str
    voice: str


class SpokenWord(Struct, frozen=True):
    """A word, and when it is heard."""

    start_seconds: float
    """From the turn's first sample."""
    text: str
    """As it is spoken: numbers are words."""


class AudioEvent(Message, frozen=True, tag="audio.delta", omit_defaults=False):
    """The next frame is binary, and this is what it is."""

    turn: int
    at_seconds: float
    start_seconds: float
    """Of what went into it, from the turn's first sample; codecs hold a little back."""
    duration_seconds: float
    n_bytes: int
    """Of the frame."""
    words: tuple[SpokenWord, ...] = ()


class TurnDone(Message, frozen=True, tag="turn.done", omit_defaults=False):
    """All of the turn was sent, or it ended early. The socket stays open."""

    turn: int
    at_seconds: float
    reason: Literal["complete", "interrupted", "failed"]
    remembered: str
    """What the conversation keeps of the answer."""
    audio_seconds: float
    error: str | None = None
    """Code of the error that broke it off."""
    first_token_seconds: float | None = None
    """Question → first piece of the model's answer."""
    first_audio_seconds: float | None = None
    """Question → first audio handed to the socket."""


class TurnCut(Message, frozen=True, tag="turn.cut", omit_defaults=False):
    """An `interrupt` came after `turn.done`, while its audio was still being played."""

    turn: int
    remembered: str


ChatClientMessage = ChatConfig | ChatText | Interrupt | ChatClose
ChatServerMessage = (
    SessionReady | TurnStart | TextEvent | AudioStart | AudioEvent | TurnDone | TurnCut | Error
)

_decoder: msgspec.json.Decoder[ChatClientMessage] = msgspec.json.Decoder(ChatClientMessage)


def decode(frame: str, *, max_bytes: int) -> ChatClientMessage:
    """The message in a text frame. Raises `TooLarge` or `BadMessage`."""
    return decode_frame(frame, _decoder, max_bytes=max_bytes, page="docs/agent.md")
