"""The extra `ray`, asked for before it is imported."""

from __future__ import annotations

from importlib.util import find_spec

from ttsops.errors import NotInstalled


def require_ray() -> None:
    """Raise `NotInstalled` without it."""
    if find_spec("ray") is None:
        raise NotInstalled(
            "a cluster needs the package `ray`, which is not installed",
            hint="pip install 'tts-ops[ray]', on every machine of the cluster",
        )
