"""Small models in a hub's cache, as huggingface_hub lays it out."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from ttsops.models.catalogue import Entry
from ttsops.models.manifest import FileFacts

REPO = "acme/small-voice"
COMMIT = "c0ffee" + "0" * 34


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def git_sha1(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def tensors(*names: str, n: int = 64) -> bytes:
    return save({name: np.arange(i, i + n, dtype=np.float32) for i, name in enumerate(names)})


def sharded_files() -> dict[str, bytes]:
    """Two shards, their index, and what comes with them."""
    shards = {
        "model-00001-of-00002.safetensors": ("a.weight", "b.weight"),
        "model-00002-of-00002.safetensors": ("c.weight",),
    }
    index = {
        "metadata": {"total_size": 3 * 64 * 4},
        "weight_map": {name: shard for shard, names in shards.items() for name in names},
    }
    return {
        "config.json": b'{"hidden_size": 64}',
        "model.safetensors.index.json": json.dumps(index).encode(),
        **{shard: tensors(*names) for shard, names in shards.items()},
    }


def write_model(
    cache: Path, files: Mapping[str, bytes], repo: str = REPO, commit: str = COMMIT, ref: str = "main"
) -> Path:
    """Its snapshot: large files by SHA-256, small ones by git's SHA-1, as the hub names them."""
    root = cache / ("models--" + repo.replace("/", "--"))
    snapshot = root / "snapshots" / commit
    for path, data in files.items():
        is_large = path.endswith((".safetensors", ".bin"))
        blob = root / "blobs" / (sha256(data) if is_large else git_sha1(data))
        blob.parent.mkdir(parents=True, exist_ok=True)
        blob.write_bytes(data)
        link = snapshot / path
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(os.path.relpath(blob, link.parent))
    (root / "refs").mkdir(exist_ok=True)
    (root / "refs" / ref).write_text(commit)
    return snapshot


def entry_of(files: Mapping[str, bytes], *, is_known: bool = True, repo: str = REPO) -> Entry:
    facts = tuple(
        FileFacts(path, len(data), sha256(data)) if is_known else FileFacts(path)
        for path, data in files.items()
    )
    return Entry(name="small", aliases=("s",), repo=repo, revision=COMMIT, files=facts)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "hub"


@pytest.fixture
def model(cache: Path) -> Path:
    """A model in shards; its snapshot."""
    return write_model(cache, sharded_files())


@pytest.fixture
def rewrite() -> Callable[[Path, Callable[[bytes], bytes]], None]:
    """Change what a link of a snapshot leads to, in place, as a bad disk does."""

    def change(link: Path, how: Callable[[bytes], bytes]) -> None:
        blob = link.resolve()
        blob.write_bytes(how(blob.read_bytes()))

    return change
