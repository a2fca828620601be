"""Who says it: names, and which voice of an engine they mean."""

from ttsops.voices.openai import OPENAI_VOICES, OpenAiVoice
from ttsops.voices.resolve import Speaker, language_of, resolve_voice

__all__ = ["OPENAI_VOICES", "OpenAiVoice", "Speaker", "language_of", "resolve_voice"]
