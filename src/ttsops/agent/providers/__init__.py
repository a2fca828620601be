"""Who runs the language model: one file for each way to talk to it. Packages are imported when needed."""

from __future__ import annotations

from ttsops.agent.keys import OF_PROVIDER
from ttsops.agent.providers.contract import Message, Provider
from ttsops.errors import ConfigError
from ttsops.settings import LlmSettings
from ttsops.settings.addresses import is_address
from ttsops.settings.names import LLM_API_KEY

__all__ = ["Message", "Provider", "create_provider"]


def create_provider(settings: LlmSettings, key: str) -> Provider:
    """The provider that the settings name. Raises `ConfigError` for what it lacks, `NotInstalled` without its
    package.
    """
    name = settings.provider
    if name == "echo":
        from ttsops.agent.providers.echo import Echo

        return Echo()
    _require(settings, key)
    if name == "anthropic":
        from ttsops.agent.providers.anthropic_messages import AnthropicMessages

        return AnthropicMessages(settings, key)
    from ttsops.agent.providers.openai_chat import OpenAiChat

    return OpenAiChat(settings, key)


def _require(settings: LlmSettings, key: str) -> None:
    name = settings.provider
    if not name:
        raise ConfigError(
            "an agent needs a language model, and `llm.provider` is not set",
            hint="set `LLM_PROVIDER=echo` for a first try, or `openai`, `anthropic` with a key, or `local` "
            "with `LLM_BASE_URL`",
        )
    if name == "local" and not settings.base_url:
        raise ConfigError(
            "`llm.provider` is `local`, and `llm.base_url` is not set",
            hint="set `LLM_BASE_URL`, such as `http://127.0.0.1:11434/v1` for Ollama",
        )
    if settings.base_url and not is_address(settings.base_url):  # not shown: it may hold a password
        raise ConfigError(
            "`llm.base_url` is no address", hint="write it as `http://127.0.0.1:11434/v1`: host, port, path"
        )
    if name in OF_PROVIDER and not key and not (name == "openai" and settings.base_url):
        raise ConfigError(
            f"`llm.provider` is `{name}`, and there is no key for it",
            hint=f"set `{OF_PROVIDER[name]}` or `{LLM_API_KEY}`, or name a file with it in `llm.key_file`; "
            "`LLM_PROVIDER=echo` needs none",
        )
    if not settings.model:
        raise ConfigError(
            f"`llm.provider` is `{name}`, and `llm.model` is not set",
            hint="set `LLM_MODEL` to a model's name there",
        )
