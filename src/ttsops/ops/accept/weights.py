"""Whether the files of an engine's weights are there and whole, as far as is seen without reading gigabytes.

Checksums are another command's work: this finds what is missing, cut short or leads nowhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from ttsops.ops.accept.gate import Finding, Skipped, refuse
from ttsops.ops.random_weights import note_of
from ttsops.ops.recorded.speak import has_weights
from ttsops.ops.weight_files import files_below, named_weights
from ttsops.settings import Settings

LENGTH_BYTES = 8
MAX_HEADER_BYTES = 100_000_000
"""As the format's own reader has it: https://github.com/huggingface/safetensors"""

INDEX_SUFFIX = ".index.json"
TENSORS = "*.safetensors"


def check_models(settings: Settings, engine: str) -> Finding:
    """The gate: every set-up option of `engine` that names files."""
    if not has_weights(engine):
        raise Skipped(f"`{engine}` has no weights")
    if note := note_of(settings.engine_settings(engine)):
        raise Skipped(note)
    named = named_weights(settings, engine)
    if not named:
        raise Skipped(f"no weights are set in `[engines.{engine}.options]`")
    problems = [f"`{name}`: {what}" for name, path in named.items() for what in problems_of(path)]
    refuse(problems)
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
            yield from _index(file)


def _tensors(file: Path) -> Iterator[str]:
    """Its header against its length: https://huggingface.co/docs/safetensors/index#format"""
    n_bytes = file.stat().st_size
    with file.open("rb") as opened:
        length = int.from_bytes(opened.read(LENGTH_BYTES), "little")
        if length > min(MAX_HEADER_BYTES, n_bytes - LENGTH_BYTES):
            yield f"`{file}` is cut off in its header, or is no safetensors file"
            return
        text = opened.read(length)
    try:
        tensors = {name: one for name, one in json.loads(text).items() if name != "__metadata__"}
        end = (
            LENGTH_BYTES + length + max((int(one["data_offsets"][1]) for one in tensors.values()), default=0)
        )
    except (ValueError, AttributeError, KeyError, TypeError, IndexError):
        yield f"the header of `{file}` cannot be read"
        return
    if end != n_bytes:
        yield f"`{file}` has {n_bytes} bytes, its header says {end}"


def _index(file: Path) -> Iterator[str]:
    try:
        shards = set(json.loads(file.read_bytes())["weight_map"].values())
    except (ValueError, KeyError, TypeError, AttributeError):
        yield f"the index `{file}` cannot be read"
        return
    there = {one.name for one in file.parent.glob(TENSORS)}
    for shard in sorted(map(str, shards - there)):
        yield f"`{file.name}` names `{shard}`, which is not there"
