"""Bodies of requests, and the shapes of answers, as they appear in the OpenAPI description.

Types are strict: `"1.5"` is not a number. A field that is not known is ignored, because real clients send
extras for other servers; the answer names it in `x-ttsops-ignored`, so that a slip of the pen is found.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from ttsops.audio import Format
from ttsops.runtime.checks import MAX_SEED, PITCH_RANGE, SPEED_RANGE


def _require_characters(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise PydanticCustomError(
            "half_character", "holds half of a surrogate pair, which is no character"
        ) from error
    return text


Text = Annotated[str, AfterValidator(_require_characters)]
"""A JSON string may hold half of an emoji (JavaScript cuts them in two); nothing behind this can take it."""

Speed = Annotated[
    float | None,
    Field(ge=SPEED_RANGE[0], le=SPEED_RANGE[1], description="Rate of speech: 2 speaks twice as fast"),
]
Pitch = Annotated[
    float | None,
    Field(ge=PITCH_RANGE[0], le=PITCH_RANGE[1], description="Factor on the pitch, where the engine has it"),
]
FormatName = Annotated[Format, Field(strict=False)]
"""Strict mode wants the enum itself, which JSON cannot send."""


class VoiceRef(BaseModel):
    """OpenAI's other way to name a voice."""

    model_config = ConfigDict(strict=True)
    id: Text


class SpeechFields(BaseModel):
    """What both routes take beside text, voice and format."""

    model_config = ConfigDict(strict=True, extra="allow", allow_inf_nan=False)

    model: Text | None = Field(
        None,
        description="An engine's name, or one of OpenAI's (`tts-1`, …) for the default engine, as is none",
        examples=["tts-1"],
    )
    speed: Speed = None
    language: Text | None = Field(
        None, max_length=64, description="BCP 47 tag; empty or `auto` to follow the voice", examples=["en-GB"]
    )
    pitch: Pitch = None
    seed: int | None = Field(None, ge=0, le=MAX_SEED, description="Same seed, same samples, where possible")
    options: dict[Text, bool | int | float | Text] | None = Field(
        None, description="What only this engine takes; `ttsops engines NAME` lists it"
    )
    markdown: bool = Field(True, description="Read Markdown as text")
    emoji: bool = Field(True, description="Speak emoji by name")
    numbers: bool = Field(True, description="Speak numbers as words, where the language is known")

    @property
    def unknown_fields(self) -> tuple[str, ...]:
        """Names that mean nothing here."""
        return tuple(sorted(self.model_extra or ()))


class SpeechBody(SpeechFields):
    """`POST /v1/audio/speech`: OpenAI's fields, then those of tts-ops."""

    input: Text = Field(description="The text to speak", examples=["The quick brown fox."])
    voice: Text | VoiceRef | None = Field(
        None,
        description='A voice of the engine or one of OpenAI\'s thirteen names, also as `{"id": …}`',
        examples=["alloy"],
    )
    instructions: Text | None = Field(
        None, description="Accepted; no engine follows them yet, and `x-ttsops-ignored` says so"
    )
    response_format: FormatName | None = Field(None, description="`mp3` unless said otherwise")
    stream_format: Literal["audio", "sse"] | None = Field(
        None, description="Raw audio (the default), or events with base64 in them"
    )


class SynthesizeBody(SpeechFields):
    """`POST /synthesize`: a whole file by default."""

    text: Text = Field(description="The text to speak", examples=["The quick brown fox."])
    voice_id: Text | None = Field(None, description="A voice of the engine", examples=["alloy"])
    output_format: FormatName | None = Field(None, description="`wav` unless said otherwise")
    stream: bool = Field(False, description="Send audio as it is made instead of a whole file")


class ErrorDetail(BaseModel):
    """What went wrong."""

    message: str
    type: Literal["invalid_request_error", "authentication_error", "rate_limit_error", "server_error"]
    param: str | None = Field(description="The field at fault")
    code: str = Field(description="Stable; branch on this", examples=["unknown_voice"])
    hint: str | None = Field(None, description="What to do next")


class ErrorBody(BaseModel):
    """Every answer that is not a success."""

    error: ErrorDetail


class ModelItem(BaseModel):
    """One name that `model` may have."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: str
    engine: str = Field(description="The engine behind the name")
    summary: str
    licence: str
    takes_text_in_pieces: bool = Field(description="Else it is given whole sentences")
    ready: bool


class ModelList(BaseModel):
    """`GET /v1/models`."""

    object: Literal["list"]
    data: list[ModelItem]


class VoiceItem(BaseModel):
    """One voice."""

    id: str
    name: str
    object: Literal["audio.voice"]
    language: str
    gender: str
    description: str


class VoiceList(BaseModel):
    """`GET /v1/audio/voices`: the same voices under both names in use."""

    object: Literal["list"]
    data: list[VoiceItem]
    voices: list[VoiceItem]
    has_more: Literal[False]
    model: str = Field(description="The engine they belong to")
    default: str = Field(description="Who speaks when nobody is named")
    aliases: dict[str, str] = Field(description="OpenAI's names → voice ids")


class HealthBody(BaseModel):
    """`GET /health`."""

    status: Literal["ok", "degraded", "loading", "down", "draining"]
    version: str
    uptime_seconds: float
    engines: dict[str, dict[str, Any]]
    recent: dict[str, Any]


class StatusBody(BaseModel):
    """A probe's answer."""

    status: str
