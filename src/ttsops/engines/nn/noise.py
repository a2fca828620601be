"""Where an utterance's noise comes from: its own generator, so that nobody else's draws matter.

Legend: B utterances, D latent size, n solver steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from ttsops.engines.nn.sampler import Sampling


class NoiseSource(Protocol):
    """Where the noise of one utterance comes from."""

    def draw(self, n_steps: int) -> tuple[Tensor, Tensor]:
        """For the next frame: its first sample [D], and the noise of `n_steps` solver steps [n, D]."""
        ...

    def put_back(self) -> None:
        """The frame of the last draw was thrown away: the next draw gives the same again."""
        ...


class SeededNoise:
    """The utterance's own generator: what others draw does not matter."""

    def __init__(self, latent_size: int, seed: int | None, temperature: float = 1.0) -> None:
        """`temperature` scales all noise; `seed` None draws a fresh one."""
        self._size = latent_size
        self._temperature = temperature
        self._generator = torch.Generator()
        if seed is None:
            self._generator.seed()
        else:
            self._generator.manual_seed(seed % 2**32)  # it has no more bits than these
        self._last = torch.zeros(1, latent_size)
        self._is_put_back = False

    def draw(self, n_steps: int) -> tuple[Tensor, Tensor]:
        """On the CPU, whatever the device: a seed means the same everywhere."""
        if not self._is_put_back:
            drawn = torch.randn(1 + n_steps, self._size, generator=self._generator)
            self._last = drawn * self._temperature
        self._is_put_back = False
        assert len(self._last) == 1 + n_steps
        return self._last[0], self._last[1:]

    def put_back(self) -> None:
        """The number of steps must be the same the next time."""
        self._is_put_back = True

    @property
    def state(self) -> Tensor:
        """Where the generator stands, in bytes. Not between `put_back` and `draw`."""
        assert not self._is_put_back
        return self._generator.get_state()

    @state.setter
    def state(self, state: Tensor) -> None:
        self._generator.set_state(state)


def draw_noise(
    sources: Sequence[NoiseSource], wanted: Sequence[Sampling], device: torch.device
) -> tuple[Tensor, Tensor | None]:
    """The noise of a frame [B, D], and that of its steps [n, B, D] if any solver asks for it."""
    draws = [source.draw(one.n_step_noise) for source, one in zip(sources, wanted, strict=True)]
    noise = torch.stack([first for first, _ in draws]).to(device)
    if not any(one.n_step_noise for one in wanted):
        return noise, None
    step_noise = torch.zeros(max(one.n_steps for one in wanted), *noise.shape)
    for b, (_, drawn) in enumerate(draws):
        step_noise[: len(drawn), b] = drawn
    return noise, step_noise.to(device)
