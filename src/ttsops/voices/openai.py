"""The thirteen voice names of OpenAI's speech API: clients send them to whatever engine answers.

https://platform.openai.com/docs/guides/text-to-speech#voice-options names them. How each sounds is not
documented there: what is said here is how they are commonly heard, and only decides which voice stands in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class OpenAiVoice:
    """One of their names."""

    name: str
    gender: Literal["female", "male", "neutral"]
    character: str


OPENAI_VOICES = (
    OpenAiVoice("alloy", "neutral", "even and clear"),
    OpenAiVoice("ash", "male", "warm and direct"),
    OpenAiVoice("ballad", "male", "soft and melodic"),
    OpenAiVoice("cedar", "male", "deep and natural"),
    OpenAiVoice("coral", "female", "bright and friendly"),
    OpenAiVoice("echo", "male", "calm and resonant"),
    OpenAiVoice("fable", "neutral", "a story-teller with a British accent"),
    OpenAiVoice("marin", "female", "natural and close"),
    OpenAiVoice("nova", "female", "lively"),
    OpenAiVoice("onyx", "male", "low and authoritative"),
    OpenAiVoice("sage", "female", "gentle"),
    OpenAiVoice("shimmer", "female", "light and clear"),
    OpenAiVoice("verse", "male", "expressive"),
)
