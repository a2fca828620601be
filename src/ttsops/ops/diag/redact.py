"""Takes out what must not be handed on: by the name of a field, and by what a value looks like.

Two nets, because each has holes: a password that looks like a word is caught by its name only, a key inside a
sentence by its looks only. What looks random is taken out even where it may be harmless.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

HIDDEN = "***"
OUR_VARIABLES = (
    "TTSOPS_",
    "TTS_",
    "LLM_",
    "HF_",
    "CUDA_",
    "NVIDIA_",
    "OMP_",
    "MKL_",
    "OPENBLAS_",
    "PYTORCH_",
    "LOG_LEVEL",
    "METRICS_PORT",
)
"""Variables whose name begins so are told; of the others not even the name."""

_SECRET_NAME = re.compile(
    r"secret|token(?!izer)|passw|passphrase|api_?key|access_?key|private_?key|credential|authorization|cookie|"
    r"(^|_)(key|auth|pwd)$",
    re.IGNORECASE,
)
_SECRET_VALUES = (
    re.compile(r"(?<=://)[^/\s:@]*:[^/\s@]+(?=@)"),
    re.compile(r"(?i)\b(?:bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,}"),
    re.compile(r"\b(?:sk|pk|rk|hf|gh[pousr]|github_pat|glpat|xox[abprs]|ttsops)[-_][A-Za-z0-9_-]{8,}"),
    re.compile(r"\bAKIA[0-9A-Z]{12,}"),
    re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_.-]+"),
    re.compile(r"(?i)\b(?:[a-z_]*(?:token|secret|passw(?:or)?d|api_?key))[\"']?\s*[=:]\s*[\"']?[^\s\"'&,;]+"),
    re.compile(r"\b(?=[A-Za-z0-9+/_-]*\d)(?=[A-Za-z0-9+/_-]*[A-Za-z])[A-Za-z0-9+_-]{32,}={0,2}"),
)
"""Credentials in a URL, HTTP's headers, keys with a known prefix, `name=value`, and long random words."""


def is_secret_name(name: str) -> bool:
    """Whether a setting, variable or field of that name may hold a secret. A key file's path is none."""
    return _SECRET_NAME.search(name) is not None


def scrub(text: str) -> str:
    """`text` without what looks like a secret, and with `~` for the home directory."""
    for pattern in _SECRET_VALUES:
        text = pattern.sub(HIDDEN, text)
    home = str(Path.home())
    return text.replace(home, "~") if len(home) > 1 else text


def scrub_all(value: Any, name: str = "") -> Any:
    """Every text inside of `value`, which is as JSON has it; fields with a secret's name as a whole."""
    if name and is_secret_name(name) and value not in (None, "", True, False):
        return HIDDEN
    if isinstance(value, Mapping):
        return {scrub(str(key)): scrub_all(inner, str(key)) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [scrub_all(inner, name) for inner in value]
    return scrub(value) if isinstance(value, str) else value


def hide_environment(env: Mapping[str, str]) -> dict[str, str]:
    """The variables that shape this program."""
    return {
        name: str(scrub_all(value, name))
        for name, value in sorted(env.items())
        if name.startswith(OUR_VARIABLES)
    }
