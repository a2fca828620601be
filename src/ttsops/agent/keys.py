"""The language model's key: from the environment or a file of its own, never from settings, never shown."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ttsops.errors import ConfigError
from ttsops.settings import LlmSettings
from ttsops.settings.names import ANTHROPIC_API_KEY, LLM_API_KEY, OPENAI_API_KEY

OF_PROVIDER = {"openai": OPENAI_API_KEY, "anthropic": ANTHROPIC_API_KEY}


def read_key(settings: LlmSettings, env: Mapping[str, str]) -> str:
    """The key, or empty where there is none: `llm.key_file` first, then the environment.

    Raises `ConfigError` for a file that cannot be read, or holds something else.
    """
    if settings.key_file:
        return _read_file(Path(settings.key_file))
    names = (LLM_API_KEY, OF_PROVIDER.get(settings.provider, ""))
    key = next((env[name] for name in names if env.get(name)), "").strip()
    if not _is_sane(key):
        raise ConfigError(
            "the language model's key in the environment is no key: it holds white space or more"
        )
    return key


def _read_file(path: Path) -> str:
    try:
        key = path.read_text(encoding="utf-8-sig").strip()
    except OSError as error:
        raise ConfigError(
            f"`llm.key_file`: `{path}`: {error.strerror or error}",
            hint="write the key into it, and nothing else",
        ) from error
    except UnicodeDecodeError:
        key = ""
    if not key or not _is_sane(key):
        raise ConfigError(
            f"`llm.key_file`: `{path}` holds no key", hint="write the key into it, and nothing else"
        )
    return key


def _is_sane(key: str) -> bool:
    """What fits a header."""
    return all("!" <= char <= "~" for char in key)
