"""What is said on `/v1/audio/speech/stream`: JSON in text frames, audio in binary ones.

client → server                           server → client
---------------                           ---------------
session.config   first, and to change     audio.start   then binary frames of audio
input.text       a piece of text          audio.marks   words and their times, if asked for
input.flush      say what is there now    audio.done    no more audio of this sentence
input.done       the utterance ends       session.done  the utterance is over; the socket stays open
input.cancel     silence, at once         error         with a code; the socket mostly stays open
session.close    say the rest, then close

Names and fields are those of vLLM-Omni 0.30 (`vllm_omni/entrypoints/openai/serving_speech_stream.py`), so
that its clients work; `input.flush`, `input.cancel`, `audio.marks` and the fields marked "here only" are
additions. The page for users is docs/websocket.md.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct, field

from ttsops.audio import Format
from ttsops.errors import BadMessage, TooLarge, TtsOpsError
from ttsops.speech import OptionValue

T = TypeVar("T")

Granularity = Literal["none", "sentence", "clause"]


class Message(Struct, frozen=True, kw_only=True, tag_field="type", omit_defaults=True):
    """The root. A field a message does not have is ignored, as vLLM-Omni does."""


class VoiceRef(Struct, frozen=True):
    """OpenAI's other way to name a voice."""

    id: str


# ---- client → server -------------------------------------------------------------------


class SessionConfig(Message, frozen=True, tag="session.config"):
    """How to speak; holds until the next one. Every field may be left out."""

    model: str | None = None
    voice: str | VoiceRef | None = None
    language: str | None = None
    """BCP 47 tag; empty or `auto` to follow the voice."""
    instructions: str | None = None
    response_format: Format | None = None
    """`wav` unless said otherwise, as in vLLM-Omni."""
    speed: Annotated[float, Meta(ge=0.25, le=4.0)] | None = None
    seed: Annotated[int, Meta(ge=0, le=2**63 - 1)] | None = None
    stream_audio: bool = False
    """True: frames as the audio is made. False: one frame, a whole file, for each `audio.start`."""
    split_granularity: Granularity = "none"
    """`none`: an utterance is one audio. Else each sentence or clause is one, started and done by itself."""
    pitch: Annotated[float, Meta(ge=0.5, le=2.0)] | None = None
    """Here only."""
    options: dict[str, OptionValue] = field(default_factory=dict)
    """What only this engine takes. Here only."""
    markdown: bool = True
    """Read Markdown as text. Here only."""
    emoji: bool = True
    """Speak emoji by name. Here only."""
    numbers: bool = True
    """Speak numbers as words. Here only."""
    marks: bool = False
    """Send `audio.marks`. Here only."""


class InputText(Message, frozen=True, tag="input.text"):
    """A piece of the utterance's text, of any length; the first one begins an utterance."""

    text: str


class InputFlush(Message, frozen=True, tag="input.flush"):
    """Say what is there now, without waiting for the sentence's end; the utterance goes on. Here only."""


class InputDone(Message, frozen=True, tag="input.done"):
    """The utterance's text is complete."""


class InputCancel(Message, frozen=True, tag="input.cancel"):
    """Everything not yet heard is dropped: what speaks, what waits, what is being written. Here only."""

    reason: Literal["client", "barge_in"] = "client"
    """The label under which it is counted."""


class SessionClose(Message, frozen=True, tag="session.close"):
    """Finish the utterances whose text is complete, then close."""


# ---- server → client -------------------------------------------------------------------


class AudioStart(Message, frozen=True, tag="audio.start", omit_defaults=False):
    """Binary frames up to the matching `audio.done` are one continuous audio in `format`."""

    utterance_index: int
    """Counts `input.done`s and `input.cancel`led utterances, from 0."""
    sentence_index: int
    """Counts audios in the utterance, from 0."""
    sentence_text: str
    """What is spoken; with `split_granularity` `none`, what had come when the first audio was ready."""
    format: Format
    sample_rate: int
    """Hertz, of `pcm` and `wav`."""
    engine: str
    """Which engine speaks. Here only."""
    voice: str
    """Its voice's id. Here only."""
    is_failover: bool
    """Another engine speaks than the one asked for. Here only."""
    ignored: tuple[str, ...] = ()
    """Fields of `session.config` that have no effect. Here only."""


class WordMark(Struct, frozen=True):
    """A word, and when it is heard."""

    start_seconds: float
    """From the first sample after `audio.start`."""
    text_start: int
    """Index of its first character in `text` as it is spoken, counted from `audio.start`."""
    text_length: int
    kind: str
    """`word` or `sentence`."""


class AudioMarks(Message, frozen=True, tag="audio.marks"):
    """Marks of the binary frames that follow it. Here only."""

    utterance_index: int
    sentence_index: int
    marks: tuple[WordMark, ...]


class AudioDone(Message, frozen=True, tag="audio.done", omit_defaults=False):
    """No more audio for this `audio.start`."""

    utterance_index: int
    sentence_index: int
    total_bytes: int
    error: bool = False
    """It broke off: the error was said before."""
    audio_seconds: float = 0.0
    """Here only."""
    cancelled: bool = False
    """Here only."""


class SessionDone(Message, frozen=True, tag="session.done", omit_defaults=False):
    """The utterance is over. The socket stays open for the next one."""

    utterance_index: int
    total_sentences: int
    error: str | None = None
    """Code of the error that ended it. Here only."""
    cancelled: bool = False
    """Here only."""


class Error(Message, frozen=True, tag="error"):
    """Something went wrong; `code` is stable and the same as over HTTP."""

    message: str
    code: str
    param: str | None = None
    hint: str | None = None
    retry_after: float | None = None
    """Seconds after which another try makes sense."""
    utterance_index: int | None = None
    """Which utterance it ended; none for a message that was not understood."""
    partial_audio: bool = False
    """Audio of the utterance was sent before."""
    action: Literal["discard"] | None = None
    """With `partial_audio`: what vLLM-Omni's clients do with it."""

    @classmethod
    def of(
        cls, error: TtsOpsError, *, utterance_index: int | None = None, partial_audio: bool = False
    ) -> Error:
        """What is said of `error`."""
        return cls(
            message=error.message,
            code=error.code,
            param=error.param,
            hint=error.hint,
            retry_after=error.retry_after,
            utterance_index=utterance_index,
            partial_audio=partial_audio,
            action="discard" if partial_audio else None,
        )


ClientMessage = SessionConfig | InputText | InputFlush | InputDone | InputCancel | SessionClose
ServerMessage = AudioStart | AudioMarks | AudioDone | SessionDone | Error

_encoder = msgspec.json.Encoder()
_client_decoder: msgspec.json.Decoder[ClientMessage] = msgspec.json.Decoder(ClientMessage)
_names_decoder: msgspec.json.Decoder[dict[str, msgspec.Raw]] = msgspec.json.Decoder(dict[str, msgspec.Raw])
_CONFIG_FIELDS = frozenset(SessionConfig.__struct_encode_fields__) | {"type"}


def encode(message: Message) -> str:
    """One text frame."""
    return _encoder.encode(message).decode()


def decode(frame: str, *, max_bytes: int) -> ClientMessage:
    """The message in a text frame. Raises `TooLarge` or `BadMessage`, which say what is wrong with it."""
    return decode_frame(frame, _client_decoder, max_bytes=max_bytes, page="docs/websocket.md")


def decode_frame(frame: str, decoder: msgspec.json.Decoder[T], *, max_bytes: int, page: str) -> T:
    """What `decoder` reads in a text frame; `page` describes its messages. Raises as `decode`."""
    if len(frame) > max_bytes:
        raise TooLarge(f"a message of {len(frame)} characters; {max_bytes} are accepted")
    try:
        return decoder.decode(frame)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
        raise BadMessage(
            f"not a message of this protocol: {error}", hint=f"{page} lists the messages"
        ) from error


def unknown_config_fields(frame: str) -> tuple[str, ...]:
    """Names in a `session.config` frame that mean nothing here."""
    return tuple(sorted(set(_names_decoder.decode(frame)) - _CONFIG_FIELDS))
