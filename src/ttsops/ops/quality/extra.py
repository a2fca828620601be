"""The packages of the extra `quality`: asked for before they are imported, which takes seconds."""

from __future__ import annotations

from importlib.util import find_spec

from ttsops.errors import NotInstalled

INSTALL = "pip install 'tts-ops[quality]'"


def require(purpose: str, *modules: str) -> None:
    """Raise `NotInstalled` for the first of `modules` that is not there."""
    absent = missing(*modules)
    if absent:
        raise NotInstalled(f"{purpose} needs the package `{absent}`, which is not installed", hint=INSTALL)


def missing(*modules: str) -> str:
    """The first of `modules` that is not installed; empty if all are."""
    return next((module for module in modules if find_spec(module) is None), "")
