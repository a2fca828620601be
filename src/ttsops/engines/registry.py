"""Engines by name: the built-in table, and what other packages add through entry points.

A plugin is a distribution with an entry point in the group `ttsops.engines` that resolves to an `EngineSpec`.
It may add a name, never replace one, and a broken one is reported by `problems` without harm to the others.
https://packaging.python.org/en/latest/specifications/entry-points/

Nothing heavy is imported before `create`: a card lives in a module that imports no framework, and whether an
engine is installed is asked of the import system, not by importing.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from typing import Any, cast

from ttsops.engines.contract import Engine, EngineCard, EngineConfig
from ttsops.errors import EngineUnavailable, UnknownEngine

ENTRY_POINT_GROUP = "ttsops.engines"


@dataclass(frozen=True, slots=True)
class EngineSpec:
    """Where an engine is found, without importing it."""

    name: str

    card: str
    """`module:ATTRIBUTE` of its `EngineCard`; importing that module must be cheap."""

    factory: str
    """`module:function` that takes an `EngineConfig` and gives a loaded `Engine`."""

    extra: str | None = None
    """The extra of its distribution that brings `requires`; None if the plain distribution does."""

    requires: tuple[str, ...] = ()
    """Top-level modules without which it cannot be created."""

    distribution: str = "tts-ops"
    """What `pip` installs; for a plugin the registry fills it in."""

    @property
    def install_command(self) -> str:
        """The line that brings everything it needs."""
        if self.extra is None:
            return f"pip install {self.distribution}"
        return f"pip install '{self.distribution}[{self.extra}]'"


BUILTIN = (
    EngineSpec(
        "espeak",
        card="ttsops.engines.espeak.card:CARD",
        factory="ttsops.engines.espeak.engine:create",
        requires=("espeakng_loader",),
    ),
    EngineSpec(
        "vibevoice-realtime",
        card="ttsops.engines.vibevoice_realtime.card:CARD",
        factory="ttsops.engines.vibevoice_realtime.loading:create",
        extra="vibevoice",
        requires=("torch", "safetensors", "tokenizers"),
    ),
    EngineSpec(
        "vibevoice",
        card="ttsops.engines.vibevoice.card:CARD",
        factory="ttsops.engines.vibevoice.loading:create",
        extra="vibevoice",
        requires=("torch", "safetensors", "tokenizers", "psutil"),
    ),
    EngineSpec(
        "f5",
        card="ttsops.engines.f5.card:CARD",
        factory="ttsops.engines.f5.loading:create",
        extra="f5",
        requires=("torch", "safetensors", "psutil"),
    ),
    EngineSpec(
        "tone",
        card="ttsops.engines.tone.card:CARD",
        factory="ttsops.engines.tone.engine:create",
    ),
)
_BUILTIN = {spec.name: spec for spec in BUILTIN}


def names() -> tuple[str, ...]:
    """Every engine that can be asked for: built-in ones first, then plugins by name."""
    return (*_BUILTIN, *sorted(_plugins()))


def spec(name: str) -> EngineSpec:
    """Where `name` is found. Raises `UnknownEngine`, or `EngineUnavailable` for a broken plugin."""
    if name in _BUILTIN:
        return _BUILTIN[name]
    plugins = _plugins()
    if name not in plugins:
        raise _unknown(name)
    return _load_plugin(plugins[name])


def card(name: str) -> EngineCard:
    """What the engine can do; imports no framework. Raises as `spec` does."""
    found = spec(name)
    try:
        return cast(EngineCard, _attribute(found.card))
    except Exception as e:
        if name in _BUILTIN:
            raise
        raise _broken(name, found.distribution, e) from e


def missing(name: str) -> EngineUnavailable | None:
    """Why `name` cannot be created here, with the line that installs it, or None. Raises `UnknownEngine`."""
    try:
        found = spec(name)
    except EngineUnavailable as e:
        return e
    absent = [module for module in found.requires if find_spec(module) is None]
    return _not_installed(found, absent[0]) if absent else None


def is_installed(name: str) -> bool:
    """Whether `create` finds all it needs. Raises `UnknownEngine`."""
    return missing(name) is None


def create(name: str, config: EngineConfig | None = None) -> Engine:
    """Load an engine: this imports its framework and may take minutes.

    Raises `UnknownEngine`; `EngineUnavailable` if something it needs is not installed; `ConfigError` for
    options it does not take. A missing module of its own package is a bug: that ImportError is raised.
    """
    unavailable = missing(name)
    if unavailable:
        raise unavailable
    found = spec(name)
    own = found.factory.split(".")[0].split(":")[0]
    try:
        factory = cast(Callable[[EngineConfig], Engine], _attribute(found.factory))
        return factory(config or EngineConfig())
    except ModuleNotFoundError as e:
        absent = (e.name or "").split(".")[0]
        if absent in ("", own, "ttsops"):
            raise
        raise _not_installed(found, absent) from e


def problems() -> tuple[str, ...]:
    """What is wrong with the installed plugins, one sentence each; imports their specs, not their engines."""
    found = [_clash(point) for point in _entry_points() if point.name in _BUILTIN]
    plugins = _plugins()
    found += [_twice(point) for point in _entry_points() if plugins.get(point.name, point) != point]
    for name in plugins:
        try:
            card(name)
        except EngineUnavailable as e:
            found.append(e.message)
    return tuple(found)


def _entry_points() -> list[EntryPoint]:
    return sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda point: (point.name, _distribution(point)))


def _plugins() -> dict[str, EntryPoint]:
    """Added names. Of two plugins with one name the first by distribution has it: the answer is stable."""
    found: dict[str, EntryPoint] = {}
    for point in _entry_points():
        if point.name not in _BUILTIN:
            found.setdefault(point.name, point)
    return found


def _load_plugin(point: EntryPoint) -> EngineSpec:
    distribution = _distribution(point)
    try:
        loaded = point.load()
    except Exception as e:  # a plugin can fail in any way; the others go on
        raise _broken(point.name, distribution, e) from e
    if not isinstance(loaded, EngineSpec):
        reason = TypeError(f"`{point.value}` is a {type(loaded).__name__}, not an EngineSpec")
        raise _broken(point.name, distribution, reason)
    if loaded.name != point.name:
        raise _broken(point.name, distribution, ValueError(f"its EngineSpec is named `{loaded.name}`"))
    return replace(loaded, distribution=distribution)


def _distribution(point: EntryPoint) -> str:
    return point.dist.name if point.dist else "unknown"


def _attribute(path: str) -> Any:
    module, _, attribute = path.partition(":")
    return getattr(importlib.import_module(module), attribute)


def _unknown(name: str) -> UnknownEngine:
    known = names()
    close = difflib.get_close_matches(name, known, n=1)
    guess = f"did you mean `{close[0]}`? " if close else ""
    listed = ", ".join(f"`{one}`" for one in known)
    return UnknownEngine(f"no engine named `{name}`", hint=f"{guess}known engines: {listed}", param="model")


def _not_installed(found: EngineSpec, module: str) -> EngineUnavailable:
    message = f"engine `{found.name}` needs the module `{module}`, which is not installed"
    return EngineUnavailable(message, hint=found.install_command)


def _broken(name: str, distribution: str, reason: Exception) -> EngineUnavailable:
    detail = f"{type(reason).__name__}: {reason}"
    message = f"engine `{name}` of the plugin `{distribution}` cannot be loaded: {detail}"
    return EngineUnavailable(message, hint=f"repair or uninstall the distribution `{distribution}`")


def _clash(point: EntryPoint) -> str:
    return f"plugin `{_distribution(point)}` is ignored: `{point.name}` is a built-in engine"


def _twice(point: EntryPoint) -> str:
    first = _distribution(_plugins()[point.name])
    return f"plugin `{_distribution(point)}` is ignored: `{first}` already adds the engine `{point.name}`"
