"""The exported graphs in ONNX Runtime, in the places of the network and the vocoder.

Embedded texts, tables of schedules and the front end stay PyTorch's. On the CPU only.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ttsops.engines.f5.card import F5Options
from ttsops.engines.f5.config import VocosConfig
from ttsops.engines.f5.model import F5Model
from ttsops.engines.f5.onnx_folder import (
    DIT_FILE,
    VOCOS_FILE,
    Manifest,
    check_origin,
    read_manifest,
    require,
)
from ttsops.engines.f5.vocos import reach_of
from ttsops.errors import ConfigError, EngineUnavailable

_DTYPES = {"fp32": torch.float32, "fp16": torch.float16}
_ERRORS_ONLY = 3
PURPOSE = "the engine's runtime `onnx`"


class OnnxDiT:
    """`DiT`, in the number format it was exported in."""

    def __init__(self, path: Path, dtype: torch.dtype) -> None:
        """Raises `EngineUnavailable` if the graph cannot be opened."""
        self._session = open_session(path)
        self._dtype = dtype

    def forward(
        self, x: Tensor, cond: Tensor, text: Tensor, modulations: Tensor, mask: Tensor | None
    ) -> Tensor:
        """See `DiT.forward`."""
        given = {"x": x, "cond": cond, "text": text, "modulations": modulations}
        feed = {name: one.to(self._dtype).contiguous().numpy() for name, one in given.items()}
        feed["mask"] = (torch.ones(x.shape[:2], dtype=torch.bool) if mask is None else mask).numpy()
        (velocity,) = self._session.run(None, feed)
        return torch.from_numpy(velocity).to(x.dtype)


class OnnxVocos:
    """`Vocos`."""

    def __init__(self, path: Path, config: VocosConfig) -> None:
        """Raises `EngineUnavailable` if the graph cannot be opened."""
        self._session = open_session(path)
        self._hop = config.hop_length
        self._reach = reach_of(config) + config.n_fft // (2 * config.hop_length)

    def __call__(self, mel: Tensor) -> Tensor:
        """See `Vocos.__call__`."""
        if mel.shape[1] < 2:
            return mel.new_zeros(len(mel), 0, dtype=torch.float32)
        (samples,) = self._session.run(None, {"mel": mel.float().contiguous().numpy()})
        return torch.from_numpy(samples)

    def decode(self, mel: Tensor, start: int, end: int) -> Tensor:
        """See `Vocos.decode`."""
        if end <= start:
            return mel.new_zeros(len(mel), 0, dtype=torch.float32)
        low = max(0, start - self._reach)
        samples = self(mel[:, low : end + self._reach + 1])
        return samples[:, (start - low) * self._hop : (end - low) * self._hop]


def set_up(model: F5Model, options: F5Options, dtype: str) -> None:
    """Let `model` be computed by the export that an engine's `options` name; `dtype` is the one it asks for.

    Raises `ConfigError` for what does not go together, `NotInstalled` without ONNX Runtime,
    `EngineUnavailable` for an export of other weights or in half precision, and as `use_graphs` does.
    """
    if model.device.type != "cpu":
        raise ConfigError(
            f"`runtime` is `onnx`, which is for the CPU, and `device` is {model.device}", param="runtime"
        )
    if dtype not in ("auto", "fp32"):
        raise ConfigError(
            f"`runtime` is `onnx`, which computes in fp32, and `dtype` is {dtype}", param="dtype"
        )
    if options.compile == "always":
        raise ConfigError("there is nothing to compile if `runtime` is `onnx`", param="compile")
    if not options.onnx:
        raise ConfigError(
            "`runtime` is `onnx` and no export is named",
            hint="set `onnx` to the folder that `ttsops export onnx` wrote",
            param="onnx",
        )
    require(PURPOSE, "onnxruntime")
    folder = Path(options.onnx)
    manifest = read_manifest(folder)
    if manifest.dtype != "fp32":
        raise EngineUnavailable(
            f"the export in `{folder}` is in {manifest.dtype}, which a CPU only emulates",
            hint="export with `--dtype fp32`",
        )
    check_origin(manifest, options)
    use_graphs(model, folder, manifest)


def use_graphs(model: F5Model, folder: Path, manifest: Manifest) -> None:
    """Put the graphs in `folder` in the places of `model`'s own network and vocoder, which are let go.

    Raises `NotInstalled` without ONNX Runtime, `EngineUnavailable` for graphs that cannot be opened.
    """
    vocos_config = model.config.vocos
    del model.dit, model.vocos  # before the graphs take memory for the same weights
    model.dit = OnnxDiT(folder / DIT_FILE, _DTYPES[manifest.dtype])
    model.vocos = OnnxVocos(folder / VOCOS_FILE, vocos_config)


def open_session(path: Path) -> Any:
    """A graph on the CPU, with as many threads as PyTorch has, which do not spin while they wait.

    Raises `NotInstalled` without ONNX Runtime, `EngineUnavailable` if it cannot be opened.
    """
    require(PURPOSE, "onnxruntime")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as e:  # its own exceptions have no common class
        raise EngineUnavailable(f"`{path}` cannot be opened by ONNX Runtime: {e}") from e
