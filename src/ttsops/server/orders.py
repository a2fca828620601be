"""From what a caller asked for, on whatever route, to what the runtime is asked for."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

from ttsops.audio import Format
from ttsops.errors import TextTooLong
from ttsops.runtime import EngineService
from ttsops.server.protocol import SessionConfig
from ttsops.server.schemas import SpeechBody, SynthesizeBody
from ttsops.speech import OptionValue, SpeechRequest
from ttsops.text import SpeakableText, TextOptions
from ttsops.voices import language_of

OPENAI_MODELS = ("tts-1", "tts-1-hd", "gpt-4o-mini-tts")
"""Clients send these to whatever server answers; they mean the default engine."""

PIECE_CHARS = 500
"""Text rewritten without a pause: at most 3 ms."""

_OPENAI_MODEL = re.compile(rf"({'|'.join(OPENAI_MODELS)})(-\d{{4}}(-\d\d-\d\d)?)?")
"""Also dated: `tts-1-1106`, `gpt-4o-mini-tts-2025-12-15`."""


def engine_of(model: str | None) -> str:
    """The engine that `model` names; empty for the default one. Whether it is served is not looked at."""
    return "" if not model or _OPENAI_MODEL.fullmatch(model) else model


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """How to speak, whatever the text. Defaults are those of a caller who said nothing."""

    engine: str = ""
    """Empty for the default one."""
    voice: str = ""
    language: str = ""
    speed: float = 1.0
    pitch: float = 1.0
    seed: int | None = None
    options: Mapping[str, OptionValue] = field(default_factory=dict)
    format: Format
    text_options: TextOptions
    ignored: tuple[str, ...] = ()
    """Fields of the request that have no effect."""

    def request(self, text: str, *, is_text_complete: bool = True) -> SpeechRequest:
        """For the runtime; `text` is speakable already."""
        return SpeechRequest(
            text=text,
            is_text_complete=is_text_complete,
            voice=self.voice,
            language=self.language,
            speed=self.speed,
            pitch=self.pitch,
            seed=self.seed,
            options=self.options,
        )

    def text_language(self, service: EngineService) -> str:
        """The language the text is in: the one asked for, or the voice's. Raises `UnknownVoice`."""
        if self.language or not service.voices:
            return self.language
        return language_of(self.voice, service.card, service.voices)

    async def speakable(self, text: str, service: EngineService) -> str:
        """`text` as it is spoken: Markdown, emoji and numbers turned into words."""
        rewriter = SpeakableText(self.text_language(service), self.text_options)
        spoken = [rewriter.feed(piece) async for piece in in_pieces(text)]
        return "".join(spoken) + rewriter.end()


async def in_pieces(text: str) -> AsyncIterator[str]:
    """`text`, with a turn for others between its pieces: to rewrite 20 000 characters takes up to 90 ms."""
    for start in range(0, len(text), PIECE_CHARS):
        if start:
            await asyncio.sleep(0)
        yield text[start : start + PIECE_CHARS]


def check_length(text: str, max_chars: int) -> None:
    """Refuse a text before anything is done with it. Raises `TextTooLong`."""
    if len(text) > max_chars:
        raise TextTooLong(
            f"the text has {len(text)} characters, this server takes {max_chars} in one request",
            param="text",
            hint="send it in several requests, or raise `server.max_text_chars`",
        )


def order_of_speech(body: SpeechBody) -> Order:
    """OpenAI's fields, and mp3 by default."""
    ignored = (*body.unknown_fields, *(("instructions",) if body.instructions else ()))
    return _order(body, _voice_id(body.voice), body.response_format or Format.MP3, ignored)


def order_of_synthesize(body: SynthesizeBody) -> Order:
    """Our own fields, and WAV by default."""
    return _order(body, body.voice_id or "", body.output_format or Format.WAV, body.unknown_fields)


def order_of_session(config: SessionConfig, unknown_fields: tuple[str, ...] = ()) -> Order:
    """vLLM-Omni's fields, and WAV by default."""
    ignored = (*unknown_fields, *(("instructions",) if config.instructions else ()))
    return _order(config, _voice_id(config.voice), config.response_format or Format.WAV, ignored)


def _order(
    source: SpeechBody | SynthesizeBody | SessionConfig, voice: str, format: Format, ignored: tuple[str, ...]
) -> Order:
    language = source.language or ""
    return Order(
        engine=engine_of(source.model),
        voice=voice,
        language="" if language.lower() == "auto" else language,
        speed=1.0 if source.speed is None else source.speed,
        pitch=1.0 if source.pitch is None else source.pitch,
        seed=source.seed,
        options=source.options or {},
        format=format,
        text_options=TextOptions(markdown=source.markdown, emoji=source.emoji, numbers=source.numbers),
        ignored=ignored,
    )


def _voice_id(voice: object) -> str:
    """`"alloy"`, `{"id": "alloy"}` or nothing."""
    if voice is None:
        return ""
    return voice if isinstance(voice, str) else str(getattr(voice, "id", ""))
