"""Models in the formats of other runtimes: which engines can be written in them, and where they do it."""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ttsops.engines import registry
from ttsops.errors import InvalidValue
from ttsops.speech import OptionValue

if TYPE_CHECKING:
    from ttsops.engines.nn.comparison import Comparison

MANIFEST_FILE = "manifest.json"


@dataclass(frozen=True, slots=True)
class Exporter:
    """Modules of one engine."""

    export: str
    """Has `export(options, out, dtype)`, which writes a folder of ONNX graphs with a manifest."""

    check: str
    """Has `check(folder, options, cases)`, which gives a `Comparison` for each tensor."""

    tensorrt: str
    """Has `command(folder, out, max_chunks)` and `build`, which runs it."""


EXPORTERS = {
    "f5": Exporter(
        "ttsops.engines.f5.onnx_export", "ttsops.engines.f5.onnx_check", "ttsops.engines.f5.tensorrt"
    )
}
"""By the engine's name."""


def export_onnx(engine: str, options: Mapping[str, OptionValue], out: Path, dtype: str) -> None:
    """Write the weights that the engine's set-up `options` name into the new folder `out`.

    Raises `InvalidValue` for an engine that cannot be exported or a folder that is there, `NotInstalled`,
    `EngineUnavailable`, `AudioError` if nothing can be written.
    """
    _module(_exporter(engine).export, engine).export(options, out, dtype)


def check_onnx(
    folder: Path, options: Mapping[str, OptionValue], cases: Sequence[Path]
) -> Sequence[Comparison]:
    """Compare an export with the engine's own code, and with recorded `cases`.

    Raises `InvalidValue` for a folder or case that is none, `NotInstalled`, `EngineUnavailable`.
    """
    engine = _engine_of(folder)
    found: Sequence[Comparison] = _module(_exporter(engine).check, engine).check(folder, options, cases)
    return found


def tensorrt_command(folder: Path, out: Path, max_chunks: int) -> list[str]:
    """What `build_tensorrt` would run, whether it can be run here or not. Raises `InvalidValue`."""
    engine = _engine_of(folder)
    words: list[str] = _module(_exporter(engine).tensorrt, engine).command(folder, out, max_chunks)
    return words


def build_tensorrt(folder: Path, out: Path, max_chunks: int) -> None:
    """Build a TensorRT engine from an export. Raises `NotInstalled` where there is no TensorRT."""
    engine = _engine_of(folder)
    _module(_exporter(engine).tensorrt, engine).build(folder, out, max_chunks)


def _engine_of(folder: Path) -> str:
    try:
        tree = json.loads((folder / MANIFEST_FILE).read_text())
        return str(tree["engine"])
    except (OSError, ValueError, KeyError, TypeError) as e:
        raise InvalidValue(
            f"`{folder}` is no export", hint=f"a folder that `ttsops export onnx` wrote has `{MANIFEST_FILE}`"
        ) from e


def _exporter(engine: str) -> Exporter:
    if engine not in EXPORTERS:
        known = ", ".join(f"`{name}`" for name in EXPORTERS)
        raise InvalidValue(
            f"engine `{engine}` cannot be exported", hint=f"these can: {known}", param="engine"
        )
    return EXPORTERS[engine]


def _module(name: str, engine: str) -> Any:
    """Imports the engine's framework. Raises `EngineUnavailable` if that is not installed."""
    unavailable = registry.missing(engine)
    if unavailable is not None:
        raise unavailable
    return importlib.import_module(name)
