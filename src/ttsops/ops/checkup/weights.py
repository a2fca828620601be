"""Weights: whether what the served engines need is here and whole, as far as names and sizes tell.

Asked of the catalogue, which is looked up when it is needed: a build may come without one.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

from ttsops.errors import TtsOpsError
from ttsops.ops.checkup.check import Check
from ttsops.settings import Settings

CATALOGUE, CACHE = "ttsops.models.catalogue", "ttsops.models.cache"
VERIFY = "`ttsops models verify` reads every byte"


def check_weights(settings: Settings) -> Iterator[Check]:
    """One for each model in the cache that a served engine loads, and one for each engine that has none."""
    if find_spec("ttsops.models") is None or find_spec(CACHE) is None:
        yield Check("weights", "unknown", "this build has no catalogue of weights")
        return
    try:
        yield from _check_catalogued(settings)
    except (TtsOpsError, OSError) as error:
        yield Check("weights", "unknown", f"the catalogue of weights cannot be used: {error}")


def _check_catalogued(settings: Settings) -> Iterator[Check]:
    entries: Any = importlib.import_module(CATALOGUE).catalogue(settings)
    cache_module: Any = importlib.import_module(CACHE)
    cache = cache_module.HubCache(cache_module.cache_folder(settings))
    for engine in settings.served_engines:
        wanted = [entry for entry in entries if entry.engine == engine]
        found = list(cache.snapshots(tuple(wanted)))
        if wanted and not found:
            names = ", ".join(entry.name for entry in wanted)
            yield Check(
                f"weights of {engine}",
                "unknown",
                f"none of {names} is in `{cache.folder}`; the engine may be given a folder by its options",
                "`ttsops models pull` fetches them",
            )
        for snapshot in found:
            yield _check_snapshot(snapshot)


def _check_snapshot(snapshot: Any) -> Check:
    missing = list(snapshot.missing())
    facts = {"folder": str(snapshot.folder), "missing": missing}
    name = f"weights {snapshot.entry.name}"
    if missing:
        return Check(name, "bad", f"{len(missing)} files are missing, the first: {missing[0]}", VERIFY, facts)
    return Check(name, "ok", f"every file is there ({snapshot.n_bytes / 2**30:.1f} GiB)", facts=facts)
