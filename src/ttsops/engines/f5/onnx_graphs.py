"""What is exported: the network's one evaluation, and the vocoder from mel to samples.

Attention is written out as products and a softmax, which every runtime knows; a key that is not there gets a
score that leaves nothing of it. The vocoder's inverse transform is one transposed convolution, because ONNX
has complex numbers in few places: each frame's cosines and sines, times a table of windowed waves, are added
where they overlap. What overlaps is then divided by the sum of squared windows, as in `Vocos`.

Legend: R rows, B waves, n frames, M modulations, F = n_fft / 2 + 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from ttsops.engines.f5.dit import DiT
from ttsops.engines.f5.model import F5Model
from ttsops.engines.f5.onnx_folder import DIT_FILE, VOCOS_FILE, Graph, Shape
from ttsops.engines.f5.vocos import Vocos

OPSET = 20
"""The first with a GELU. That of opset 23 for attention takes no mask of one row in ONNX Runtime 1.32."""

HIDDEN = -60_000.0
"""Score of a key that is not there; in range of fp16."""

ROWS, WAVES, FRAMES, SAMPLES = "rows", "waves", "frames", "samples"

Translations = Mapping[Callable[..., Any], Callable[..., Any]]
"""Operators of PyTorch, and what to write for them."""


class DiTGraph(nn.Module):
    """`DiT.forward` with a mask that is always there."""

    def __init__(self, dit: DiT) -> None:
        super().__init__()
        self._dit = dit

    def forward(self, x: Tensor, cond: Tensor, text: Tensor, modulations: Tensor, mask: Tensor) -> Tensor:
        """See `DiT.forward`."""
        return self._dit.forward(x, cond, text, modulations, mask)


class VocosGraph(nn.Module):
    """`Vocos.__call__` without complex numbers."""

    waves: Tensor
    envelope: Tensor

    def __init__(self, vocos: Vocos) -> None:
        super().__init__()
        self._vocos = vocos
        self._n_fft, self._hop = vocos.config.n_fft, vocos.config.hop_length
        window = torch.hann_window(self._n_fft)
        units = torch.eye(self._n_fft // 2 + 1)
        parts = torch.cat((units.to(torch.complex64), 1j * units))
        self.register_buffer("waves", (torch.fft.irfft(parts, self._n_fft) * window)[:, None])  # [2 F, 1, N]
        self.register_buffer("envelope", window.square()[None, None])

    def forward(self, mel: Tensor) -> Tensor:
        """Log-mel frames [B, n, mels] → samples [B, (n - 1) · hop]; n is at least 2."""
        magnitudes, phases = self._vocos.magnitudes_and_phases(mel)
        parts = torch.cat((magnitudes * phases.cos(), magnitudes * phases.sin()), dim=-1)
        total = functional.conv_transpose1d(parts.transpose(1, 2), self.waves, stride=self._hop)
        ones = torch.ones_like(mel[:1, None, :, 0])
        weight = functional.conv_transpose1d(ones, self.envelope, stride=self._hop)
        middle = slice(self._n_fft // 2, -(self._n_fft // 2))
        return (total[:, 0, middle] / weight[:, 0, middle]).to(mel.dtype)


@dataclass(frozen=True, slots=True)
class Exported:
    """One graph to be written."""

    file: str
    module: nn.Module
    examples: tuple[Tensor, ...]
    """Any sizes but those that would be taken for fixed ones."""

    graph: Graph


def graphs_of(model: F5Model) -> tuple[Exported, Exported]:
    """The network's and the vocoder's. `model` must have PyTorch's own modules."""
    assert isinstance(model.dit, DiT)
    assert isinstance(model.vocos, Vocos)
    config = model.config.dit
    n_mels, n_modulations = config.n_mels, (6 * config.depth + 2) * config.dim
    dit = Graph(
        inputs={
            "x": (ROWS, FRAMES, n_mels),
            "cond": (ROWS, FRAMES, n_mels),
            "text": (ROWS, FRAMES, config.text_dim),
            "modulations": (ROWS, n_modulations),
            "mask": (ROWS, FRAMES),
        },
        outputs={"velocity": (ROWS, FRAMES, n_mels)},
    )
    vocos = Graph(inputs={"mel": (WAVES, FRAMES, n_mels)}, outputs={"samples": (WAVES, SAMPLES)})
    return (
        Exported(
            DIT_FILE,
            DiTGraph(model.dit),
            tuple(_example(shape, model.dtype, is_mask=name == "mask") for name, shape in dit.inputs.items()),
            dit,
        ),
        Exported(
            VOCOS_FILE,
            VocosGraph(model.vocos),
            tuple(_example(shape, torch.float32) for shape in vocos.inputs.values()),
            vocos,
        ),
    )


def translations(opset: Any, head_dim: int) -> Translations:
    """Attention in operators of `opset`, as `onnxscript` has them, for heads of `head_dim` numbers."""

    def attention(
        query: Any, key: Any, value: Any, attn_mask: Any, *_: Any, **unused: Any
    ) -> Any:  # [R, H, n, D] of each, the mask [R, 1, 1, n]
        def constant(number: float) -> Any:
            return opset.CastLike(opset.Constant(value_float=number), query)

        scaled = opset.Mul(query, constant(head_dim**-0.5))
        scores = opset.MatMul(scaled, opset.Transpose(key, perm=[0, 1, 3, 2]))
        seen = opset.Add(scores, opset.Where(attn_mask, constant(0.0), constant(HIDDEN)))
        return opset.MatMul(opset.Softmax(seen, axis=-1), value)

    return {torch.ops.aten.scaled_dot_product_attention.default: attention}


def _example(shape: Shape, dtype: torch.dtype, *, is_mask: bool = False) -> Tensor:
    sizes = [{ROWS: 2, WAVES: 2, FRAMES: 37}[one] if isinstance(one, str) else one for one in shape]
    return torch.ones(sizes, dtype=torch.bool) if is_mask else torch.zeros(sizes, dtype=dtype)
