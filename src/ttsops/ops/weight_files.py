"""Which files an engine's weights are in, and how to make the system forget that it has read them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from ttsops.engines import registry
from ttsops.runtime.weights import with_weights
from ttsops.settings import Settings


def named_weights(settings: Settings, engine: str) -> dict[str, Path]:
    """Set-up option that names files → the file or folder it names; empty if none is set.

    A model of the catalogue is named by where it is, or would be, in the cache.
    """
    options = with_weights(settings, engine, settings.engine_settings(engine)).options
    return {
        spec.name: Path(str(value))
        for spec in registry.card(engine).setup
        if spec.shapes == "files" and (value := options.get(spec.name, spec.default))
    }


def files_below(path: Path) -> Iterator[Path]:
    """The file itself, or all of the folder, lost links too; not what begins with a dot."""
    if path.is_file():
        yield path
        return
    for file in sorted(path.rglob("*")):
        if not file.is_dir() and not any(part.startswith(".") for part in file.relative_to(path).parts):
            yield file


def forget(files: Iterable[Path]) -> int:
    """Ask the system to drop them from its memory, so that the next read is from the disk; how many it did.

    Needs no rights. 0 where the system has no such call (macOS).
    """
    n_files = 0
    if not hasattr(os, "posix_fadvise"):
        return n_files
    for file in files:
        try:
            with file.open("rb") as opened:
                os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        except OSError:
            continue
        n_files += 1
    return n_files
