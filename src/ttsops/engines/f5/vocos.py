"""The vocoder: from log-mel frames to samples, all of them or an exact window.

ConvNeXt blocks at the frame rate give the magnitude and phase of a spectrum, and its inverse transform is the
wave (https://arxiv.org/abs/2306.00814). Nothing is normalised over time: each sample depends on a few frames
around it, so that a window is decoded exactly from its neighbourhood.

Legend: B waves, n frames, C channels.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from ttsops.engines.f5.config import VocosConfig
from ttsops.engines.nn.layers import load_linear
from ttsops.engines.nn.weights import Weights

KERNEL = 7
NORM_EPS = 1e-6
MAX_MAGNITUDE = 100.0

RECOMPUTED = ("feature_extractor.", "head.istft.window")
"""Published with the weights, and computed here: windows, and a front end that only training needs."""


class VocosBlock:
    """Depthwise convolution, norm and a feed-forward layer around a residual."""

    def __init__(self, weights: Weights, prefix: str, dim: int, inner: int) -> None:
        self._depthwise = weights.take(f"{prefix}.dwconv.weight", dim, 1, KERNEL)
        self._depthwise_bias = weights.take(f"{prefix}.dwconv.bias", dim)
        self._norm = weights.take(f"{prefix}.norm.weight", dim)
        self._norm_bias = weights.take(f"{prefix}.norm.bias", dim)
        self._in = load_linear(weights, f"{prefix}.pwconv1", dim, inner)
        self._out = load_linear(weights, f"{prefix}.pwconv2", inner, dim)
        self._gamma = weights.take(f"{prefix}.gamma", dim)

    def __call__(self, x: Tensor) -> Tensor:
        """[B, n, C] → [B, n, C]."""
        dim = x.shape[-1]
        h = functional.conv1d(
            x.transpose(1, 2), self._depthwise, self._depthwise_bias, padding=KERNEL // 2, groups=dim
        ).transpose(1, 2)
        h = functional.layer_norm(h, (dim,), self._norm, self._norm_bias, NORM_EPS)
        return torch.addcmul(x, self._out(functional.gelu(self._in(h))), self._gamma)


class Vocos:
    """Stateless. Computed in fp32: spectra span more than half precision holds."""

    def __init__(self, weights: Weights, config: VocosConfig) -> None:
        dim, n_fft = config.dim, config.n_fft
        self.config = config
        self._embed = weights.take("backbone.embed.weight", dim, config.input_channels, KERNEL)
        self._embed_bias = weights.take("backbone.embed.bias", dim)
        self._norm = weights.take("backbone.norm.weight", dim)
        self._norm_bias = weights.take("backbone.norm.bias", dim)
        self._blocks = [
            VocosBlock(weights, f"backbone.convnext.{i}", dim, config.intermediate_dim)
            for i in range(config.num_layers)
        ]
        self._final_norm = weights.take("backbone.final_layer_norm.weight", dim)
        self._final_norm_bias = weights.take("backbone.final_layer_norm.bias", dim)
        self._out = load_linear(weights, "head.out", dim, n_fft + 2)
        self._window = torch.hann_window(n_fft, device=weights.device)
        weights.finish(RECOMPUTED)

    @property
    def reach(self) -> int:
        """Frames on either side that a frame's spectrum depends on."""
        return reach_of(self.config)

    def __call__(self, mel: Tensor) -> Tensor:
        """Log-mel frames [B, n, mels] → samples [B, (n - 1) · hop]: the first frame's centre is sample 0."""
        return self.decode(mel, 0, mel.shape[1] - 1)

    def decode(self, mel: Tensor, start: int, end: int) -> Tensor:
        """The samples from frame `start` to frame `end` [B, (end - start) · hop], exactly those of the whole.

        0 ≤ start ≤ end ≤ n - 1. Of `mel` [B, n, mels] only what is within reach of the window is looked at.
        """
        n_frames, hop = mel.shape[1], self.config.hop_length
        if end <= start:
            return mel.new_zeros(len(mel), 0, dtype=torch.float32)
        beside = self.config.n_fft // (2 * hop) - 1  # frames that overlap the window from outside
        first, last = max(0, start - beside), min(n_frames, end + beside + 1)
        low, high = max(0, first - self.reach), min(n_frames, last + self.reach)
        spectra = self.spectra(mel[:, low:high])[:, first - low : last - low]
        return self._wave(spectra)[:, (start - first) * hop : (end - first) * hop]

    def spectra(self, mel: Tensor) -> Tensor:
        """[B, n, mels] → complex [B, n, n_fft / 2 + 1]."""
        return torch.polar(*self.magnitudes_and_phases(mel))

    def magnitudes_and_phases(self, mel: Tensor) -> tuple[Tensor, Tensor]:
        """[B, n, mels] → two of [B, n, n_fft / 2 + 1], radians the second."""
        x = functional.conv1d(
            mel.float().transpose(1, 2), self._embed, self._embed_bias, padding=KERNEL // 2
        ).transpose(1, 2)
        dim = (x.shape[-1],)
        x = functional.layer_norm(x, dim, self._norm, self._norm_bias, NORM_EPS)
        for block in self._blocks:
            x = block(x)
        x = functional.layer_norm(x, dim, self._final_norm, self._final_norm_bias, NORM_EPS)
        magnitude, phase = self._out(x).chunk(2, dim=-1)
        return magnitude.exp().clamp(max=MAX_MAGNITUDE), phase

    def _wave(self, spectra: Tensor) -> Tensor:
        """Spectra [B, n, bins] → samples [B, (n - 1) · hop], from the first frame's centre to the last's."""
        n_fft, hop = self.config.n_fft, self.config.hop_length
        n_frames = spectra.shape[1]
        windowed = torch.fft.irfft(spectra, n_fft, dim=-1) * self._window
        total = _overlap_add(windowed, hop)
        weight = _overlap_add(self._window.square().expand(1, n_frames, -1), hop)
        middle = slice(n_fft // 2, n_fft // 2 + (n_frames - 1) * hop)
        return total[:, middle] / weight[:, middle]


def reach_of(config: VocosConfig) -> int:
    """Frames on either side that a frame's spectrum depends on."""
    return (config.num_layers + 1) * (KERNEL // 2)


def _overlap_add(frames: Tensor, hop: int) -> Tensor:
    """[B, n, N] → [B, (n - 1) · hop + N]."""
    _, n_frames, size = frames.shape
    length = (n_frames - 1) * hop + size
    folded = functional.fold(frames.transpose(1, 2), (1, length), (1, size), stride=(1, hop))
    return folded[:, 0, 0]
