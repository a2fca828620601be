"""What is different between two states, setting by setting and voice by voice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from ttsops.errors import ConfigError
from ttsops.ops.backup.state import State, load_content
from ttsops.ops.diag.redact import HIDDEN, is_secret_name
from ttsops.settings.fields import flatten


@dataclass(frozen=True, slots=True)
class Difference:
    """One setting or voice."""

    kind: Literal["setting", "voice", "file"]
    name: str
    change: Literal["added", "removed", "changed"]
    old: Any = None
    """Of a setting its value, `***` if it may be a secret; of a voice the files that differ."""

    new: Any = None


def differences(old: State, new: State) -> list[Difference]:
    """Settings first. The environment is left out: it is in no backup."""
    return [*_of_settings(old.settings, new.settings), *_of_voices(old, new)]


def _of_settings(old: bytes | None, new: bytes | None) -> Iterator[Difference]:
    if old == new:
        return
    try:
        before, after = _values(old), _values(new)
    except ConfigError as error:
        yield Difference("file", "settings", "changed", new=f"one of them is wrong: {error.message}")
        return
    found = 0
    for key in dict.fromkeys([*before, *after]):
        if before.get(key) != after.get(key) or (key in before) != (key in after):
            found += 1
            change: Any = (
                "changed" if key in before and key in after else "added" if key in after else "removed"
            )
            yield Difference("setting", key, change, _shown(key, before), _shown(key, after))
    if not found:
        yield Difference("file", "settings", "changed", new="in order or comments only")


def _values(content: bytes | None) -> dict[str, Any]:
    return {".".join(key): value for key, value in flatten(load_content(content, {}).settings).items()}


def _shown(key: str, values: dict[str, Any]) -> Any:
    value = values.get(key)
    return HIDDEN if value and is_secret_name(key.rpartition(".")[2]) else value


def _of_voices(old: State, new: State) -> Iterator[Difference]:
    before, after = old.voices or {}, new.voices or {}
    for voice in sorted({*before, *after}):
        if voice not in after:
            yield Difference("voice", voice, "removed")
        elif voice not in before:
            yield Difference("voice", voice, "added")
        else:
            names = sorted({*before[voice], *after[voice]})
            differing = [name for name in names if before[voice].get(name) != after[voice].get(name)]
            if differing:
                yield Difference("voice", voice, "changed", new=differing)
