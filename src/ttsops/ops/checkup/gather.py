"""All checks of a machine, in the order in which they are shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from ttsops.errors import ConfigError
from ttsops.ops.checkup.check import Check
from ttsops.ops.checkup.devices import check_devices
from ttsops.ops.checkup.resources import check_disks, check_memory
from ttsops.ops.checkup.results import check_acceptance, check_monitor
from ttsops.ops.checkup.served import check_engines, check_voices
from ttsops.ops.checkup.weights import check_weights
from ttsops.settings import Loaded, Settings, load_with_places


def check_all(config: Path | None, env: Mapping[str, str]) -> list[Check]:
    """Of the machine this runs on. Settings that are wrong are a check that is bad, and defaults are used."""
    try:
        loaded = load_with_places(config, env)
    except ConfigError as error:
        bad = Check("settings", "bad", error.message.splitlines()[0], "`ttsops config check` says everything")
        return [bad, *_checks(Settings())]
    return [_check_settings(loaded), *_checks(loaded.settings)]


def _check_settings(loaded: Loaded) -> Check:
    n_env = sum(place.startswith("environment") for place in loaded.places.values())
    where = f"`{loaded.file}`" if loaded.file else "no settings file"
    facts = {"file": str(loaded.file) if loaded.file else None, "from_environment": n_env}
    return Check("settings", "ok", f"{where}, {n_env} values from the environment", facts=facts)


def _checks(settings: Settings) -> Iterator[Check]:
    yield from check_engines(settings)
    yield from check_weights(settings)
    yield check_voices(settings)
    yield from check_disks({"the history": Path(settings.monitor.history).parent})
    yield check_memory()
    yield from check_devices()
    yield check_monitor(settings)
    acceptance = check_acceptance(Path(settings.monitor.history).parent)
    if acceptance is not None:
        yield acceptance
