"""At which times a flow is evaluated on its way from noise (0) to speech (1).

Sway sampling is from F5-TTS (https://arxiv.org/abs/2410.06885, section 3.3); the pruned grids of few steps
are from Fast F5-TTS (https://arxiv.org/abs/2505.19931). Both are as in https://github.com/SWivid/F5-TTS.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

DEFAULT_SWAY = -1.0

PRUNED = {
    5: (0, 2, 4, 8, 16, 32),
    6: (0, 2, 4, 6, 8, 16, 32),
    7: (0, 2, 4, 6, 8, 16, 24, 32),
    10: (0, 2, 4, 6, 8, 12, 16, 20, 24, 28, 32),
    12: (0, 2, 4, 6, 8, 10, 12, 14, 16, 20, 24, 28, 32),
    16: (0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32),
}
"""Steps that are kept of thirty-two even ones, by their number: early ones, where the flow bends most."""

_N_EVEN = 32


@dataclass(frozen=True, slots=True)
class Schedule:
    """One way through a flow. Equal schedules have equal times."""

    n_steps: int
    """Evaluations of the network, at least 1 (NFE)."""

    sway: float = DEFAULT_SWAY
    """-1 to 1: below 0 the early steps are shorter, 0 leaves the grid as it is."""

    is_pruned: bool = True
    """Take `PRUNED` where there is a grid of that many steps; an even one otherwise."""

    def grid(self) -> Tensor:
        """The n + 1 times before sway."""
        if self.is_pruned and self.n_steps in PRUNED:
            return torch.tensor(PRUNED[self.n_steps]) / _N_EVEN
        return torch.linspace(0, 1, self.n_steps + 1)

    def times(self) -> Tensor:
        """n + 1 rising times from 0 to 1; the network is evaluated at all but the last.

        In fp32 throughout, as published: it is the roundings that make the recorded times.
        """
        t = self.grid()
        return t + self.sway * (torch.cos(torch.pi / 2 * t) - 1 + t)

    def __post_init__(self) -> None:
        """Raises `ValueError` for fewer than one step."""
        if self.n_steps < 1:
            raise ValueError(f"a schedule of {self.n_steps} steps")
