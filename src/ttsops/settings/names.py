"""Every environment variable that tts-ops reads for its settings, by name.

A systematic name for each setting: `TTSOPS_` and its key, sections joined by two underscores, such as
`TTSOPS_SERVER__PORT` or `TTSOPS_ENGINES__VIBEVOICE_REALTIME__DEVICE` (in the name of an engine
or model `_` stands for `-`). Beside these, the names operators know from other speech servers.
"""

from __future__ import annotations

from types import MappingProxyType

PREFIX = "TTSOPS_"
SEPARATOR = "__"

CONFIG_FILE = "TTSOPS_CONFIG"
DEBUG = "TTSOPS_DEBUG"
API_KEY = "TTSOPS_API_KEY"

LLM_API_KEY = "LLM_API_KEY"
OPENAI_API_KEY = "OPENAI_API_KEY"
ANTHROPIC_API_KEY = "ANTHROPIC_API_KEY"

OTHER_NAMES = MappingProxyType(
    {
        CONFIG_FILE: "the settings file, where `--config` is not given",
        DEBUG: "any value: the command line shows the traceback of an error",
        API_KEY: "the key that `ttsops loadtest`, `accept` and `agent` send to the server they ask",
        LLM_API_KEY: "the key of the language model, whoever runs it",
        OPENAI_API_KEY: 'the same for `llm.provider = "openai"`, where that is not set',
        ANTHROPIC_API_KEY: 'the same for `llm.provider = "anthropic"`',
    }
)
"""Names that are not settings: ours, and those of secrets."""

DEFAULT_ENGINE = "@engine"
"""In a key: the engine that speaks when a request names none."""

OPERATOR_NAMES = MappingProxyType(
    {
        "TTS_MODEL_NAME": ("engine",),
        "TTS_DEVICE": ("engines", DEFAULT_ENGINE, "device"),
        "TTS_DTYPE": ("engines", DEFAULT_ENGINE, "dtype"),
        "TTS_MAX_BATCH_SIZE": ("engines", DEFAULT_ENGINE, "max_batch"),
        "HF_ENDPOINT": ("hub", "endpoint"),
        "HF_HUB_CACHE": ("hub", "cache"),
        "LLM_PROVIDER": ("llm", "provider"),
        "LLM_MODEL": ("llm", "model"),
        "LLM_BASE_URL": ("llm", "base_url"),
        "LLM_KEY_FILE": ("llm", "key_file"),
        "LLM_MAX_TOKENS": ("llm", "max_tokens"),
        "LLM_TEMPERATURE": ("llm", "temperature"),
        "LLM_CONNECT_SECONDS": ("llm", "connect_seconds"),
        "LLM_FIRST_TOKEN_SECONDS": ("llm", "first_token_seconds"),
        "LLM_TOKEN_SECONDS": ("llm", "token_seconds"),
        "LLM_ANSWER_SECONDS": ("llm", "answer_seconds"),
        "LLM_MAX_RETRIES": ("llm", "max_retries"),
        "LLM_BREAKER_FAILURES": ("llm", "breaker_failures"),
        "LLM_BREAKER_SECONDS": ("llm", "breaker_seconds"),
        "LOG_LEVEL": ("log", "level"),
        "METRICS_PORT": ("server", "metrics_port"),
    }
)
"""Name → key. Where a setting's systematic name is set as well, that one is taken."""

LLM_PREFIX = "LLM_"
"""Each setting of `[llm]` is known by it, too. It is not ours alone: Kubernetes sets `LLM_SERVICE_HOST` and
more beside a service called `llm`. A name that is no setting is an error only if it looks like one of ours.
"""


def systematic_name(key: tuple[str, ...]) -> str:
    """`("server", "port")` → `TTSOPS_SERVER__PORT`."""
    return PREFIX + SEPARATOR.join(part.replace("-", "_").upper() for part in key)


def key_of(name: str) -> tuple[str, ...]:
    """`TTSOPS_SERVER__PORT` → `("server", "port")`. Whether there is such a setting is not known here."""
    parts = tuple(name.removeprefix(PREFIX).lower().split(SEPARATOR))
    for table in (("engines",), ("models",), ("accept", "engines")):
        n = len(table)
        if parts[:n] == table and len(parts) > n:
            return (*table, parts[n].replace("_", "-"), *parts[n + 1 :])
    return parts
