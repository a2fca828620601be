"""Whether the files of an engine's weights are there and whole, as far as is seen without reading gigabytes.

`ttsops models verify` compares every byte with its checksum; this finds what is missing, of another size, cut
short or leads nowhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ttsops.errors import ModelError
from ttsops.models.cache import HubCache, cache_folder
from ttsops.models.catalogue import catalogue
from ttsops.models.index import check_index
from ttsops.models.safetensors import read_header
from ttsops.models.verify import INDEX_SUFFIX, verify
from ttsops.ops.accept.gate import Finding, Skipped, refuse
from ttsops.ops.random_weights import note_of
from ttsops.ops.recorded.speak import has_weights
from ttsops.ops.weight_files import files_below, named_weights
from ttsops.runtime.weights import MODEL_OPTION
from ttsops.settings import Settings


def check_models(settings: Settings, engine: str) -> Finding:
    """The gate: every set-up option of `engine` that names files, against the catalogue where it is in it."""
    if not has_weights(engine):
        raise Skipped(f"`{engine}` has no weights")
    if note := note_of(settings.engine_settings(engine)):
        raise Skipped(note)
    named = named_weights(settings, engine)
    if not named:
        raise Skipped(f"no weights are set in `[engines.{engine}.options]`")
    problems = [f"`{name}`: {what}" for name, path in named.items() for what in problems_of(path)]
    refuse(problems or list(_differences(settings, engine)))
    n_files = sum(1 for path in named.values() for _ in files_below(path))
    return Finding(f"{n_files} files of {', '.join(named)}", {"files": n_files})


def problems_of(path: Path) -> Iterator[str]:
    """What is wrong with a file or a folder of weights, a sentence each."""
    if not path.exists():
        yield f"`{path}` is not there"
        return
    files = list(files_below(path))
    if not files:
        yield f"`{path}` is empty"
    for file in files:
        if not file.exists():
            yield f"`{file}` is a link that leads nowhere"
        elif not file.stat().st_size:
            yield f"`{file}` is empty"
        elif file.suffix == ".safetensors":
            yield from _tensors(file)
        elif file.name.endswith(INDEX_SUFFIX):
            yield from (f"`{name}` {what}" for name, what in check_index(file.name, file))


def _tensors(file: Path) -> Iterator[str]:
    try:
        read_header(file)
    except ModelError as error:
        yield f"`{file}`: {error.message}"


def _differences(settings: Settings, engine: str) -> Iterator[str]:
    """From the catalogue: what is missing, and files of another size; nothing for a folder of one's own."""
    model = settings.engine_settings(engine).options.get(MODEL_OPTION)
    known = catalogue(settings)
    entry = known.get(model) if isinstance(model, str) else None
    if entry is None or Path(str(model)).exists():
        return
    cache = HubCache(cache_folder(settings))
    for one in (entry, *(known.find(part) for part in entry.parts.values())):
        snapshot = cache.find(one)
        if snapshot is not None:
            report = verify(snapshot, has_checksums=False)
            yield from (f"{one.name}: `{problem.file}` {problem.what}" for problem in report.problems)
