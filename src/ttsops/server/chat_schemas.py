"""The body of `POST /chat`, as it appears in the OpenAPI description."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from ttsops.server.chat_protocol import CONVERSATION_ID
from ttsops.server.schemas import FormatName, Speed, Text


class ChatBody(BaseModel):
    """A question, and how its answer is spoken."""

    model_config = ConfigDict(strict=True, extra="allow", allow_inf_nan=False)

    text: Text = Field(description="The question", examples=["What is a voice made of?"])
    voice_id: Text | None = Field(None, description="Who answers: a voice of the engine", examples=["alloy"])
    conversation_id: str | None = Field(
        None,
        pattern=CONVERSATION_ID,
        description="To go on with a conversation: the id in an earlier answer's `x-ttsops-conversation`, or "
        "one of your own. A conversation of an unknown id begins anew",
    )
    played_seconds: float | None = Field(
        None,
        ge=0,
        description="With a question that interrupts: how much of the answer before it was played; the "
        "rest is forgotten",
    )
    stream: bool = Field(True, description="Send audio as it is made instead of a whole file")
    stream_format: Literal["audio", "sse"] | None = Field(
        None, description="Raw audio (the default), or events with the text, and base64 of the audio, in them"
    )
    response_format: FormatName | None = Field(None, description="`wav` unless said otherwise")
    model: Text | None = Field(None, description="The engine that speaks; none for the default one")
    language: Text | None = Field(None, max_length=64, description="BCP 47 tag; empty to follow the voice")
    speed: Speed = None

    @property
    def unknown_fields(self) -> tuple[str, ...]:
        """Names that mean nothing here."""
        return tuple(sorted(self.model_extra or ()))
