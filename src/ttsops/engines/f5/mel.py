"""From samples to the log-mel spectrogram that the network is shown of a voice.

Magnitudes of a centred short-time Fourier transform, summed in triangles of the HTK mel scale
(2595 · log10(1 + f / 700)) that are not normalised to equal area, and the logarithm of what is above a floor.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ttsops.engines.f5.config import MelConfig

FLOOR = 1e-5
"""What is quieter is as quiet as this; Vocos' own front end has 1e-7."""


class MelSpectrogram:
    """Computed in fp32."""

    def __init__(self, config: MelConfig, device: torch.device | None = None) -> None:
        self.config = config
        self.window = torch.hann_window(config.n_fft, device=device)  # [n_fft], periodic
        self.filters = mel_filters(config).to(device)  # [n_fft / 2 + 1, mels]

    def __call__(self, samples: Tensor, floor: float = FLOOR) -> Tensor:
        """Samples [..., N] → [..., 1 + N // hop, mels]. N must be more than half a window."""
        n_fft, hop = self.config.n_fft, self.config.hop
        spectrum = torch.stft(
            samples.float(), n_fft, hop, window=self.window, pad_mode="reflect", return_complex=True
        )
        return (spectrum.abs().transpose(-1, -2) @ self.filters).clamp(min=floor).log()


def mel_filters(config: MelConfig) -> Tensor:
    """Weights of each frequency in each mel band [n_fft / 2 + 1, mels], from 0 to half the sample rate."""
    nyquist = config.sample_rate // 2
    frequencies = torch.linspace(0, nyquist, config.n_fft // 2 + 1)
    top = 2595.0 * math.log10(1.0 + nyquist / 700.0)
    corners = 700.0 * (10.0 ** (torch.linspace(0.0, top, config.n_mels + 2) / 2595.0) - 1.0)
    widths = corners.diff()
    distances = corners - frequencies[:, None]  # [frequencies, mels + 2]
    rising = -distances[:, :-2] / widths[:-1]
    falling = distances[:, 2:] / widths[1:]
    return torch.minimum(rising, falling).clamp(min=0.0)
