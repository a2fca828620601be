"""Models by name in an engine's settings: `model = "realtime"` becomes the folder in the hub's cache.

Nothing is fetched. A model that is not here becomes the folder where it would be, so that the engine that
needs it says so and the others go on.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from ttsops.engines import registry
from ttsops.models.cache import HubCache, cache_folder
from ttsops.models.catalogue import Entry, catalogue
from ttsops.observe.logs import get_logger
from ttsops.settings import EngineSettings, Settings
from ttsops.speech import OptionValue

MODEL_OPTION = "model"
"""Of an engine with weights: where they are."""

_log = get_logger(__name__)


def with_weights(settings: Settings, name: str, setup: EngineSettings) -> EngineSettings:
    """How engine `name` is set up, with names of models as folders, and the parts they need beside them.

    A path that is there goes before a name, an option that is set before a part. Raises `ConfigError` for a
    wrong entry of the settings.
    """
    wanted = setup.options.get(MODEL_OPTION)
    accepted = {spec.name for spec in registry.card(name).setup}
    if not isinstance(wanted, str) or not wanted or MODEL_OPTION not in accepted or Path(wanted).exists():
        return setup
    found = catalogue(settings)
    entry = found.get(wanted)
    if entry is None:
        return setup
    cache = HubCache(cache_folder(settings))
    options: dict[str, OptionValue] = {**setup.options, MODEL_OPTION: _place(cache, entry)}
    for option, part in entry.parts.items():
        if option in accepted and not options.get(option):
            options[option] = _place(cache, found.find(part))
    return msgspec.structs.replace(setup, options=options)


def _place(cache: HubCache, entry: Entry) -> str:
    snapshot = cache.find(entry)
    if snapshot is None:
        _log.warning("model_not_here", model=entry.name, hint=f"ttsops models pull {entry.name}")
        folder = Path(entry.path) if entry.path else cache.snapshot_folder(entry.sources[0])
        return str(folder / entry.folder)
    if not snapshot.is_as_catalogued:
        revision = snapshot.source.revision
        _log.warning(
            "model_of_another_revision", model=entry.name, repo=snapshot.source.repo, revision=revision
        )
    return str(snapshot.engine_folder)
