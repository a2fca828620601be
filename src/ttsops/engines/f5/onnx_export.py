"""Writes a model as ONNX graphs into a folder that is either whole or not there."""

from __future__ import annotations

import logging
import secrets
import shutil
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
import torch

from ttsops.audio.files import sync_directory, write_atomically
from ttsops.engines.f5.card import CARD, F5Options
from ttsops.engines.f5.loading import load_weights
from ttsops.engines.f5.model import F5Model
from ttsops.engines.f5.onnx_folder import (
    MANIFEST_FILE,
    Dtype,
    Manifest,
    Origin,
    Shape,
    origin_of,
    require,
    sha256_of,
)
from ttsops.engines.f5.onnx_graphs import FRAMES, OPSET, Exported, graphs_of, translations
from ttsops.engines.setup import read_options
from ttsops.errors import AudioError, InvalidValue
from ttsops.speech import OptionValue

NEEDED = ("onnx", "onnxscript")
MADE_WITH = ("tts-ops", "torch", "onnx", "onnxscript")

INLINE_BYTES = 256 << 20
"""Weights of more are kept in a file beside their graph, `*.onnx.data`.

A graph's own file cannot exceed 2 GiB, and is held twice while it is opened; the other is mapped.
"""

MAX_FRAMES, MAX_ROWS = 8192, 256
_DTYPES = {"fp32": torch.float32, "fp16": torch.float16}


def export(options: Mapping[str, OptionValue], out: Path, dtype: Dtype = "fp32") -> Manifest:
    """Write the model that the engine's `options` name into the new folder `out`.

    Raises `NotInstalled` without the extra `onnx`, `InvalidValue` if there is something at `out`,
    `ConfigError` or `EngineUnavailable` for a model that cannot be had, `AudioError` if nothing can be
    written. After an error nothing is left.
    """
    require("an ONNX export", *NEEDED)
    if out.exists():
        raise InvalidValue(f"there is something at `{out}`", hint="remove it, or name another folder")
    setup = read_options(CARD.name, options, F5Options)
    # Outside of inference mode: what is made in it cannot be traced.
    with torch.inference_mode(False), torch.no_grad():
        model = load_weights(setup, torch.device("cpu"), _DTYPES[dtype])
        return write_graphs(model, origin_of(setup), out, dtype)


def write_graphs(
    model: F5Model, origin: Origin, out: Path, dtype: Dtype = "fp32", *, inline_bytes: int = INLINE_BYTES
) -> Manifest:
    """Write both graphs of `model` and their manifest. Raises `AudioError` if a file cannot be written."""
    target = out.resolve()
    draft = target.with_name(f".{target.name[:100]}.{secrets.token_hex(4)}.part")
    try:
        draft.mkdir()
        exported = graphs_of(model)
        for one in exported:
            _write(one, draft / one.file, model.config.dit.dim_head, inline_bytes)
        manifest = Manifest(
            origin=origin,
            dtype=dtype,
            opset=OPSET,
            graphs={one.file: one.graph for one in exported},
            files={path.name: sha256_of(path) for path in sorted(draft.iterdir())},
            versions={name: version(name) for name in MADE_WITH},
        )
        encoded = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
        write_atomically(draft / MANIFEST_FILE, encoded + b"\n")
        draft.rename(target)
    except OSError as e:
        raise AudioError(f"cannot write `{out}`: {e.strerror or e}") from e
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    with suppress(OSError):  # it is there all the same, unless the power fails now
        sync_directory(target.parent)
    return manifest


def _write(one: Exported, path: Path, head_dim: int, inline_bytes: int) -> None:
    import onnxscript

    opset = getattr(onnxscript, f"opset{OPSET}")
    with _quiet():
        program = torch.onnx.export(
            one.module.eval(),
            one.examples,
            dynamo=True,
            opset_version=OPSET,
            input_names=list(one.graph.inputs),
            output_names=list(one.graph.outputs),
            dynamic_shapes=_changing(one.graph.inputs),
            custom_translation_table=dict(translations(opset, head_dim)),
            verbose=False,
        )
        assert program is not None
        n_bytes = sum(tensor.nbytes for tensor in _weights(program.model))
        program.save(path, external_data=n_bytes > inline_bytes)


def _weights(model: Any) -> Iterator[Any]:
    return (value.const_value for value in model.graph.initializers.values() if value.const_value is not None)


def _changing(inputs: Mapping[str, Shape]) -> tuple[dict[int, Any], ...]:
    """Sizes with a name, each the same wherever it stands."""
    names = {one for shape in inputs.values() for one in shape if isinstance(one, str)}
    limits = {name: (2, MAX_FRAMES) if name == FRAMES else (1, MAX_ROWS) for name in sorted(names)}
    sizes = {name: torch.export.Dim(name, min=low, max=high) for name, (low, high) in limits.items()}
    return tuple(
        {i: sizes[one] for i, one in enumerate(shape) if isinstance(one, str)} for shape in inputs.values()
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """The exporter tells of packages that are not needed here, and warns of its own parts."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
