"""Which weights and which voice spoke, told from what is in the files, not from where they lie.

Gigabytes are not read for it: a large file is known by its size and by samples of it. Two files that a
training made different are told apart; one changed byte in the middle of a large file is not. That is what
the check of a whole file against its published hash is for.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from ttsops.engines.contract import EngineCard, Shapes
from ttsops.errors import AudioError, VoiceNotFound
from ttsops.speech import OptionValue
from ttsops.voices.library import VoiceLibrary
from ttsops.voices.suits import wants_reference

WHOLE_BYTES = 1 << 20
"""A file up to this size is read whole."""

EDGE_BYTES = 1 << 16
SAMPLE_BYTES = 1 << 12
N_SAMPLES = 62
"""Of a larger one: both ends, and so many pieces between them."""

WEIGHTS = frozenset({".safetensors", ".pt", ".pth", ".bin", ".ckpt", ".onnx", ".data"})
TABLES = frozenset({".json", ".txt", ".yaml", ".yml", ".model"})
"""What a model is made of beside its weights: sizes, vocabularies, tokenizers."""

DIGITS = 16
"""Hexadecimal digits of an identity."""


def file_identity(path: Path) -> str:
    """What is in a file. Raises `OSError`. The same for a file that has not changed is not read again."""
    status = path.stat()
    return _identity(path, status.st_size, status.st_mtime_ns)


@functools.lru_cache(maxsize=1024)
def _identity(path: Path, n_bytes: int, changed_at: int) -> str:
    digest = hashlib.sha256(str(n_bytes).encode())
    with path.open("rb") as file:
        if n_bytes <= WHOLE_BYTES:
            digest.update(file.read())
        else:
            stride = (n_bytes - EDGE_BYTES) // (N_SAMPLES + 1)
            digest.update(file.read(EDGE_BYTES))
            for number in range(1, N_SAMPLES + 1):
                file.seek(number * stride)
                digest.update(file.read(SAMPLE_BYTES))
            file.seek(n_bytes - EDGE_BYTES)
            digest.update(file.read(EDGE_BYTES))
    return digest.hexdigest()[:DIGITS]


def weights_identity(card: EngineCard, options: Mapping[str, OptionValue]) -> dict[str, str]:
    """Set-up option that names files → what is in them; `missing` where there is nothing."""
    found = {}
    for spec in card.setup:
        path = str(options.get(spec.name, spec.default)) if spec.shapes == "files" else ""
        if path:
            found[spec.name] = _files_identity(Path(path))
    return found


def _files_identity(path: Path) -> str:
    root = path if path.is_dir() else path.parent
    try:
        parts = [f"{file.relative_to(root)}={file_identity(file)}" for file in _model_files(path)]
    except OSError:
        return "missing"
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:DIGITS] if parts else "missing"


def _model_files(path: Path) -> Iterator[Path]:
    """Of a folder all that a model is made of; of one file that file, and what lies beside it but weights."""
    root = path if path.is_dir() else path.parent
    others = sorted([*root.glob("*"), *root.glob("*/*")])
    for file in others:
        below = file.relative_to(root)
        if below.parts[0] == "voices" or any(part.startswith(".") for part in below.parts):
            continue
        is_beside = path.is_file() and file != path and len(below.parts) == 1
        accepted = TABLES if is_beside else TABLES | WEIGHTS
        if file.is_file() and (file == path or file.suffix in accepted):
            yield file


def voice_identity(card: EngineCard, options: Mapping[str, OptionValue], voice_id: str) -> str:
    """What the voice speaks from: the hash of its recording in force or of its file; empty if built in."""
    folder = _voices_folder(card, options)
    if folder is None or not folder.is_dir():
        return ""
    if card.clones_voices:
        try:
            manifest = VoiceLibrary(folder).get(voice_id)
            speaks_from = (
                manifest.active or manifest.recording
                if wants_reference(card.name)
                else manifest.recording or manifest.baseline
            )
            return speaks_from.sha256[:DIGITS] if speaks_from else ""
        except (VoiceNotFound, AudioError):
            return ""
    # A name is looked for among those that are there, never made into a path.
    for file in folder.iterdir():
        if file.stem == voice_id and file.suffix in WEIGHTS:
            return file_identity(file)
    return ""


def _voices_folder(card: EngineCard, options: Mapping[str, OptionValue]) -> Path | None:
    named = _option(card, options, "voices")
    if named:
        return Path(named)
    model = _option(card, options, "files")
    if not model or not any(spec.shapes == "voices" for spec in card.setup):
        return None
    return (Path(model).parent if Path(model).suffix else Path(model)) / "voices"


def _option(card: EngineCard, options: Mapping[str, OptionValue], shapes: Shapes) -> str:
    """Value of the first set-up option of that kind; empty if there is none."""
    for spec in card.setup:
        if spec.shapes == shapes:
            return str(options.get(spec.name, spec.default))
    return ""
