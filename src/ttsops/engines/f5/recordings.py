"""What a folder of recordings of the reference implementation holds, told from its files' contents."""

from __future__ import annotations

import json
import wave
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.torch import load_file
from torch import Tensor

META_FILE, CONFIG_FILE = "meta.json", "config.json"

TABLES: Mapping[str, frozenset[str]] = {
    "tokens": frozenset({"text", "tokens", "ids"}),
    "chunks": frozenset({"text", "max_chars", "chunks"}),
    "durations": frozenset({"ref_text", "ref_samples", "gen_text", "chunk_durations"}),
    "timesteps": frozenset({"steps", "sway", "t"}),
    "preprocess": frozenset({"case", "out_sha256"}),
}
"""Kinds of tables, and the columns that tell them."""

Row = Mapping[str, Any]
Table = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Recording:
    """One case."""

    folder: Path
    meta: Mapping[str, Any]
    """How it was recorded; empty if it is a table alone."""

    inputs: Mapping[str, Tensor]
    outputs: Mapping[str, Tensor]
    """All tensors, if they are in one file: then what went in is among them."""

    tables: Sequence[tuple[str, Table]]
    """Kind and content: each has `rows`."""

    @property
    def kind(self) -> str:
        """What is recorded. Raises `ValueError` if it is nothing known."""
        names = self.inputs.keys() | self.outputs.keys()
        if {"noise", "ref_mel", "text_ids"} <= names:
            is_batch = len(self.inputs["noise"]) > 1 or "single0_mel" in names
            return "batch" if is_batch else "sample"
        if {"chunk0_noise", "cond_wav"} <= names:
            return "e2e"
        if {"wav", "mel"} <= names:
            return "mel"
        if any(name.startswith("mel_") and f"wav_{name.removeprefix('mel_')}" in names for name in names):
            return "vocos"
        if any(name.startswith("in_") and f"out_{name.removeprefix('in_')}" in names for name in names):
            return "resample"
        if any(name.endswith("_in0") for name in names):
            return "crossfade"
        if self.tables:
            return "tables"
        raise ValueError("its files are those of no known kind of case")


def read_recording(folder: Path) -> Recording:
    """Raises `OSError`, `ValueError` or `SafetensorError` for files that cannot be read."""
    tensors = {
        path.stem: load_file(path)
        for path in sorted(folder.glob("*.safetensors"))
        if path.stem not in ("model", "vocos")
    }
    inputs = tensors.pop("inputs", {})
    outputs = {name: tensor for file in tensors.values() for name, tensor in file.items()}
    meta_path = folder / META_FILE
    meta = json.loads(meta_path.read_text()) if meta_path.exists() else {}
    return Recording(folder, meta, inputs, outputs, _tables(folder))


def kind_of_table(tree: object) -> str | None:
    """Which of `TABLES` a JSON file's content is, if it is one."""
    rows = tree.get("rows") if isinstance(tree, dict) else None
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        return None
    return next((kind for kind, columns in TABLES.items() if columns <= rows[0].keys()), None)


def read_wav(path: Path) -> tuple[npt.NDArray[np.int16], int]:
    """16-bit samples [N], or [N, channels] of more than one, and their rate."""
    with wave.open(str(path)) as file:
        if file.getsampwidth() != 2:
            raise ValueError(f"`{path}` is not of 16 bits")
        pcm = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        n_channels, rate = file.getnchannels(), file.getframerate()
    return (pcm if n_channels == 1 else pcm.reshape(-1, n_channels)), rate


def _tables(folder: Path) -> list[tuple[str, Table]]:
    found: list[tuple[str, Table]] = []
    for path in sorted(folder.glob("*.json")):
        if path.name in (META_FILE, CONFIG_FILE):
            continue
        tree = json.loads(path.read_text())
        if (kind := kind_of_table(tree)) is not None:
            found.append((kind, tree))
    return found


def rows_of(table: Table) -> Sequence[Row]:
    """Of a table or of a case's facts."""
    rows: Sequence[Row] = table["rows"]
    return rows
