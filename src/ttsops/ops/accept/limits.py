"""Which thresholds hold for an engine: the settings', then its own, then its own on its kind of device."""

from __future__ import annotations

import platform
import sys

import msgspec

from ttsops.observe.gpu import gpu_names
from ttsops.ops.recorded.speak import has_weights
from ttsops.settings import AcceptSettings, Settings


def limits_for(settings: Settings, engine: str) -> AcceptSettings:
    """The thresholds of `engine`, as it is set up."""
    found = settings.accept
    for name in (engine, f"{engine}@{device_of(settings, engine)}"):
        override = found.engines.get(name)
        if override is not None:
            given = {
                key: value for key, value in msgspec.structs.asdict(override).items() if value is not None
            }
            found = msgspec.structs.replace(found, **given)
    return found


def device_of(settings: Settings, engine: str) -> str:
    """`cpu`, `cuda` or `mps`: as set up, or the best there is, as `auto` takes it."""
    wanted = settings.engine_settings(engine).device.partition(":")[0]
    if wanted != "auto":
        return wanted
    if not has_weights(engine):
        return "cpu"
    if gpu_names():
        return "cuda"
    return "mps" if sys.platform == "darwin" and platform.machine() == "arm64" else "cpu"
