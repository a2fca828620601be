"""The sampler in fixed shapes: every number that differs from stream to stream is in a tensor.

A batch takes as many steps as its longest member. A stream that needs fewer goes on with steps that leave its
sample as it is, to the bit, so streams with other numbers of steps, solvers and guidance share one pass.

Legend: B utterances, n steps, C hidden size, D latent size.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ttsops.engines.nn.diffusion_head import DiffusionHead
from ttsops.engines.nn.dpm_solver import N_TRAINING_STEPS, Coefficients, Solver, coefficients, timesteps
from ttsops.engines.nn.noise import NoiseSource
from ttsops.engines.nn.sampler import Sampling, guided_velocity, solver_step
from ttsops.engines.nn.staging import ToDevice

N_COEFFICIENTS = len(Coefficients._fields)

UNCHANGED = Coefficients(alpha=0.0, sigma=0.0, cx=1.0, c0=0.0, c1=0.0, cn=0.0)
"""A step that does nothing."""


@cache
def padded_table(n_steps: int, solver: Solver, n_rows: int) -> npt.NDArray[np.float32]:
    """Coefficients of `n_steps` steps, and unchanging ones up to `n_rows` [n_rows, 6]."""
    rows = [*coefficients(n_steps, solver), *[UNCHANGED] * (n_rows - n_steps)]
    return np.array(rows, np.float32)


@cache
def padded_times(n_steps: int, n_rows: int) -> npt.NDArray[np.int64]:
    """The training step at which the head is asked in each step, 0 in those that do nothing [n_rows]."""
    return np.pad(timesteps(n_steps), (0, n_rows - n_steps))


def new_frame_numbers(max_steps: int, n_frames: int, latent_size: int, device: torch.device) -> ToDevice:
    """Memory [1 + n, B, D + 6] for what differs from frame to frame, to be filled by `write_frame`.

    [0] is the noise of each frame and its guidance, [1 + i] the noise of step i and its coefficients.
    """
    return ToDevice((1 + max_steps, n_frames, latent_size + N_COEFFICIENTS), torch.float32, device)


def write_frame(
    numbers: npt.NDArray[np.float32], sampling: Sampling, noise: NoiseSource, n_steps: int
) -> None:
    """Into `numbers` [1 + n, D + 6] of one frame: its noise is drawn, for `n_steps` steps or fewer."""
    size = numbers.shape[1] - N_COEFFICIENTS
    first, drawn = noise.draw(sampling.n_step_noise)
    numbers[0, :size] = first
    numbers[0, size] = sampling.cfg_scale - 1
    numbers[1 : 1 + len(drawn), :size] = drawn
    numbers[1 : 1 + n_steps, size:] = padded_table(sampling.n_steps, sampling.solver, n_steps)


class StaticSampler:
    """Always guided: with a weight of zero that is the positive branch alone. Samples are fp32."""

    def __init__(self, head: DiffusionHead, device: torch.device) -> None:
        self._head = head
        self._embedded = head.embed_time(torch.arange(N_TRAINING_STEPS, device=device))  # [1000, C]

    def frames(self, conditions: Tensor, times: Tensor, numbers: Tensor) -> Tensor:
        """Latents [B, D] under `conditions` [2, B, C], from what `write_frame` wrote [1 + n, B, D + 6]."""
        noise, other = numbers.tensor_split((numbers.shape[2] - N_COEFFICIENTS,), dim=2)
        return self(
            conditions,
            times=times,
            table=other[1:].transpose(1, 2),
            guidance=other[0, :, 0],
            noise=noise[0],
            step_noise=noise[1:],
        )

    def __call__(
        self,
        conditions: Tensor,
        times: Tensor,
        table: Tensor,
        guidance: Tensor,
        noise: Tensor,
        step_noise: Tensor,
    ) -> Tensor:
        """Latents [B, D] from `noise` [B, D] and `step_noise` [n, B, D].

        `conditions` [2, B, C], positive and negative; `times` [n, B] and `table` [n, 6, B] as padded above;
        `guidance` [B] is the scale less one.
        """
        embedded = self._embedded[times][:, None]  # [n, 1, B, C]
        modulations = self._head.modulations(self._head.condition(conditions), embedded)  # [n, 2, B, M]
        x, previous = noise, torch.zeros_like(noise)
        for at_step, row, drawn in zip(modulations, table, step_noise, strict=True):
            velocity = guided_velocity(self._head, x, at_step, guidance)
            x, previous = solver_step(row[..., None], x, velocity, previous, drawn)
        return x
